"""The built-in data set: short English texts from a seed, so that `run demo` works without a network.

    rows = generate_demo("sentiment", rows=12000, seed=0)    # [(text, None, label id), ...]

sentiment: exactly one opinion counts: the writer's own, about what really happened; in a contrast, the main clause's.
"not ... at all", "hardly" and "never" reverse it. Opinions of others and hypothetical ones do not count.
entailment: the hypothesis describes the premise's event with less detail (entailment), with more detail or another
action (neutral), or with swapped roles, another number, an opposite or a denial (contradiction).
Only `random.Random(...).random()` is used, which gives the same numbers on every platform and Python version.
It is a test bed, not natural language: results on it say nothing about how a model does on real reviews.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from data.errors import DataError
from data.sources import demo_grammar as words

VERSION = 1  # part of the data fingerprint: raise it with every change that alters a row
LABELS: dict[str, tuple[str, ...]] = {
    "sentiment": ("negative", "positive"),
    "entailment": ("entailment", "neutral", "contradiction"),
}
Row = tuple[str, str | None, int]
Item = TypeVar("Item")
Change = Callable[[random.Random, words.Party], words.Party | None]

MIN_WORDS = 8  # of a text or premise (the longest has 35); a hypothesis may be shorter
MAX_ROWS = 1_000_000  # far below the number of possible texts, so that an unused one is found quickly

# Shares of the sentiment texts. Our choice: a bag of words reaches about 0.75, bert-tiny from scratch more than 0.93.
NEGATED = 0.25  # of single opinions; bert-tiny took far longer to learn negation next to other opinions
CONTRASTED = 0.30  # texts with "X, but Y", "although X, Y" or "Y, despite the fact that X": Y always decides
DISTRACTED = 0.30  # texts with another person's opinion or a hypothetical one
OPPOSED = 0.75  # of the opinions that do not count: contradict the one that does
AHEAD = 0.20  # of the neutral mentions: come before the opinion; at 0.5 bert-tiny lost 6 points

# Shares of the entailment pairs. Our choice: a bag of words reaches about 0.65, bert-tiny from scratch more than 0.80.
DETAILED = 0.60  # premises with a trait; the same share for a number, a place and a time
DENIED = 0.08  # premises with "not" or "never"
USUAL = 0.75  # premises with a person and an animal, and with a good deed; without it bert-tiny learns nothing
REVOICED = 0.08  # premises in the passive, and hypotheses that switch between active and passive
WEAKENED = 0.30  # of the details that may be left out


def generate_demo(task: str, rows: int, seed: int) -> list[Row]:
    """Return `rows` distinct examples as (text, second text or None, label id), generated from a seed.

    task: "sentiment" (one text) or "entailment" (premise and hypothesis); label ids index LABELS[task].
    The same arguments give the same rows on every machine; fewer rows are a prefix of more. Labels are balanced to
    within one row in every prefix, and have no noise: the Bayes ceiling is an accuracy of 1.0 for both tasks.
    Raises DataError for an unknown task and for rows outside 1..1,000,000.
    """
    if task not in LABELS:
        cure = "run data=demo data.demo_task=sentiment"
        raise DataError(f"demo task {task!r}: expected {' or '.join(LABELS)}. Try: {cure}")
    if not 1 <= rows <= MAX_ROWS:
        raise DataError(f"{rows} demo rows: expected 1..{MAX_ROWS}. Try: run data=demo data.demo_rows=12000")
    # A string seed is hashed with SHA-512, not with hash(), which differs between processes.
    rng = random.Random(f"bertier demo {VERSION} {task} {seed}")
    make = _sentiment if task == "sentiment" else _entailment
    seen: set[tuple[str, str | None]] = set()
    out: list[Row] = []
    for label in _balanced(rng, len(LABELS[task])):
        if len(out) == rows:
            break
        pair = make(rng, label)
        while pair in seen:
            pair = make(rng, label)
        seen.add(pair)
        out.append((*pair, label))
    return out


def _balanced(rng: random.Random, classes: int) -> Iterator[int]:
    """Yield label ids endlessly: every class once in random order, then again."""
    while True:
        rest = list(range(classes))
        while rest:
            yield rest.pop(int(rng.random() * len(rest)))


def _pick(rng: random.Random, options: Sequence[Item]) -> Item:
    return options[int(rng.random() * len(options))]


# --- sentiment ---


def _sentiment(rng: random.Random, label: int) -> tuple[str, None]:
    """Return a text in which exactly one opinion counts; it has the given label (1 is positive)."""
    topic = _pick(rng, words.TOPICS)
    draw = rng.random()
    if draw < CONTRASTED:
        core = _contrast(rng, topic, label == 1)
    elif draw < CONTRASTED + DISTRACTED:
        core = _distract(rng, topic, label == 1)
    else:
        core = _opinion(rng, topic, label == 1, NEGATED)
    text = words.sentence(core)
    missing = MIN_WORDS + int(rng.random() * 12) - len(text.split())
    frames = list(words.NEUTRAL)
    while missing > 0:
        frame = frames.pop(int(rng.random() * len(frames)))  # each at most once in a text
        mention = words.sentence(_mention(rng, topic, frame))
        missing -= len(mention.split())
        text = f"{mention} {text}" if rng.random() < AHEAD else f"{text} {mention}"
    return text, None


def _opinion(rng: random.Random, topic: Sequence[str], is_positive: bool, negated: float = 0.0) -> str:
    """Return an opinion of the writer; negated: share that is negated, with a word of the opposite polarity."""
    is_negated = rng.random() < negated
    polarity = is_positive != is_negated
    what, draw = "the " + _pick(rng, topic), rng.random()
    if draw < 0.4:
        subject, verbs, target = ("I", words.LIKING, what) if draw < 0.2 else (what, words.MOVING, "us")
        past, base = _pick(rng, verbs[polarity])
        frame = _pick(rng, words.NEGATED_DO) if is_negated else "{past} {what}"
        return f"{subject} {frame.format(past=past, base=base, what=target)}"
    word = _pick(rng, words.ADJECTIVES[polarity])
    if is_negated:
        return f"{what} {_pick(rng, words.NEGATED_BE).format(word=word)}"
    return f"{what} {_pick(rng, words.ASSERTED_BE)} {_pick(rng, words.DEGREES)}{word}"


def _contrast(rng: random.Random, topic: Sequence[str], is_positive: bool) -> str:
    """Return the deciding clause contrasted with another one: "X, but CORE" and the like."""
    core = _opinion(rng, topic, is_positive)
    if rng.random() < OPPOSED:
        other = _opinion(rng, topic, not is_positive)
    else:
        other = _mention(rng, topic, _pick(rng, words.NEUTRAL))
    draw = rng.random()
    if draw < 0.4:
        return f"{other}{_pick(rng, words.BUT)}{core}"
    if draw < 0.6:
        return f"{_pick(rng, words.ALTHOUGH)} {other}, {core}"
    return f"{core}{_pick(rng, words.DESPITE)} {other}"


def _distract(rng: random.Random, topic: Sequence[str], is_positive: bool) -> str:
    """Return the deciding clause next to another person's opinion or a hypothetical one."""
    core = _opinion(rng, topic, is_positive)
    polarity = is_positive != (rng.random() < OPPOSED)
    frame = _pick(rng, words.REPORTS if rng.random() < 0.5 else words.HYPOTHETICALS)
    who, what = _pick(rng, words.PEOPLE), "the " + _pick(rng, topic)
    other = frame.format(who=who, what=what, word=_pick(rng, words.ADJECTIVES[polarity]))
    first, second = (other, core) if rng.random() < 0.5 else (core, other)
    if rng.random() < 0.3:
        return f"{first}, and {second}"
    return f"{words.sentence(first)} {second[0].upper()}{second[1:]}"


def _mention(rng: random.Random, topic: Sequence[str], frame: str) -> str:
    """Return a clause without any opinion."""
    what, day = "the " + _pick(rng, topic), _pick(rng, words.DAYS)
    count, who = _pick(rng, words.COUNTS), _pick(rng, words.PEOPLE)
    plain = _pick(rng, words.PLAIN_ADJECTIVES)
    return frame.format(what=what, day=day, count=count, who=who, plain=plain)


# --- entailment ---


def _entailment(rng: random.Random, label: int) -> tuple[str, str]:
    """Return a premise and a hypothesis about the same event, so that swapped roles are a contradiction."""
    # The premise is kept until a hypothesis fits, so that the premise alone does not reveal the label.
    premise = _event(rng)
    first = second = premise.render()
    while first == second:
        changed = premise if label == 0 else _another(rng, premise) if label == 1 else _clash(rng, premise)
        if changed is None:
            continue
        # Less detail follows from an assertion, but not from a denial: denied events keep their details.
        second = _reword(rng, changed if premise.denial else _weaken(rng, premise, changed)).render()
    return first, second


def _event(rng: random.Random) -> words.Event:
    """Return a premise: mostly a person does something good to an animal, without which learning does not start."""
    kinds = list(words.KINDS)
    if rng.random() < USUAL:
        kinds.remove("animal")
        agent, patient = _pick(rng, kinds), "animal"
    else:  # never the same kind twice, since their hypernyms would be identical
        agent = kinds.pop(int(rng.random() * len(kinds)))
        patient = _pick(rng, kinds)
    good, bad = _pick(rng, words.VERB_PAIRS)
    # At most one trait and one number per event, so that matching details can be found by content.
    traits, numbers = _one_of_two(rng, words.TRAITS), _one_of_two(rng, words.AMOUNTS)
    while True:
        event = words.Event(
            agent=_party(rng, agent, traits[0], numbers[0]),
            patient=_party(rng, patient, traits[1], numbers[1]),
            verb=good if rng.random() < USUAL else bad,
            place=_pick(rng, words.PLACES) if rng.random() < DETAILED else "",
            time=_pick(rng, words.TIMES) if rng.random() < DETAILED else "",
            denial=_pick(rng, words.DENIALS) if rng.random() < DENIED else "",
            is_passive=rng.random() < REVOICED,
        )
        if len(event.render().split()) >= MIN_WORDS:
            return event


def _reword(rng: random.Random, event: words.Event) -> words.Event:
    """Return the event reworded with the same meaning: passive for active, "never" for "not"."""
    is_passive = event.is_passive != (rng.random() < REVOICED)
    return replace(event, is_passive=is_passive, denial=_pick(rng, words.DENIALS) if event.denial else "")


def _one_of_two(rng: random.Random, options: Sequence[str]) -> tuple[str, str]:
    if rng.random() >= DETAILED:
        return "", ""
    word = _pick(rng, options)
    return (word, "") if rng.random() < 0.5 else ("", word)


def _party(rng: random.Random, kind: str, trait: str, number: str) -> words.Party:
    return words.Party(kind if rng.random() < 0.15 else _pick(rng, words.KINDS[kind]), trait, number)


def _another(rng: random.Random, premise: words.Event) -> words.Event | None:
    """Return an event that the premise leaves open, or None if the drawn change does not apply to it."""
    if premise.denial:
        verb = _pick(rng, words.VERBS)
        is_open = verb not in (premise.verb, words.OPPOSITE_VERB[premise.verb])
        return replace(premise, verb=verb) if is_open else None
    draw = rng.random()
    if draw < 0.25:
        return None if premise.place else replace(premise, place=_pick(rng, words.PLACES))
    if draw < 0.5:
        return None if premise.time else replace(premise, time=_pick(rng, words.TIMES))
    return _change_party(rng, premise, _specify)


def _clash(rng: random.Random, premise: words.Event) -> words.Event | None:
    """Return an event that the premise rules out, or None if the drawn change does not apply to it."""
    draw = rng.random()
    if premise.denial or draw < 0.25:
        return replace(premise, denial="" if premise.denial else "not")
    if draw < 0.4:
        return replace(premise, agent=premise.patient, patient=premise.agent)
    if draw < 0.7:
        return replace(premise, verb=words.OPPOSITE_VERB[premise.verb])
    return _change_party(rng, premise, _oppose)


def _change_party(rng: random.Random, event: words.Event, change: Change) -> words.Event | None:
    if rng.random() < 0.5:
        agent = change(rng, event.agent)
        return None if agent is None else replace(event, agent=agent)
    patient = change(rng, event.patient)
    return None if patient is None else replace(event, patient=patient)


def _specify(rng: random.Random, party: words.Party) -> words.Party | None:
    """Return the party with more detail: a trait, a number, or a specific noun such as the kind of animal."""
    draw = rng.random()
    if draw < 0.4:
        return None if party.trait else replace(party, trait=_pick(rng, words.TRAITS))
    if draw < 0.7:
        return replace(party, number=_pick(rng, words.NUMBERS)) if party.number == "some" else None
    return replace(party, noun=_pick(rng, words.KINDS[party.noun])) if party.noun in words.KINDS else None


def _oppose(rng: random.Random, party: words.Party) -> words.Party | None:
    """Return the party with the opposite trait or another number."""
    if rng.random() < 0.5:
        return replace(party, trait=words.OPPOSITE_TRAIT[party.trait]) if party.trait else None
    number = _pick(rng, words.NUMBERS)
    return None if party.number in ("", "some", number) else replace(party, number=number)


def _weaken(rng: random.Random, premise: words.Event, event: words.Event) -> words.Event:
    """Return the event with some details left out, but never those that determine the label."""
    parties = (premise.agent, premise.patient)
    return replace(
        event,
        agent=_blur(rng, parties, event.agent),
        patient=_blur(rng, parties, event.patient),
        place="" if event.place == premise.place and rng.random() < WEAKENED else event.place,
        time="" if event.time == premise.time and rng.random() < WEAKENED else event.time,
    )


def _blur(rng: random.Random, known: tuple[words.Party, words.Party], party: words.Party) -> words.Party:
    """Return the party with less detail if the premise has the same party, else unchanged."""
    if party not in known:
        return party
    return words.Party(
        noun=words.HYPERNYM.get(party.noun, party.noun) if rng.random() < WEAKENED else party.noun,
        trait="" if rng.random() < WEAKENED else party.trait,
        number="some" if party.number and rng.random() < WEAKENED else party.number,
    )
