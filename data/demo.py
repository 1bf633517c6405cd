"""The built-in data set: short English texts from a seed, so that `run demo` works without a network.

    rows = generate("sentiment", rows=12000, seed=0)    # [(text, None, label id), ...]

Both tasks need word order: the same words give another label in another arrangement, so a bag of words stays behind.
Only `random.Random(...).random()` is used, which gives the same numbers on every platform and Python version.
It is a test bed, not a language: the texts say nothing about how a model does on real reviews.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from data import demo_grammar as words
from data.errors import DataError

VERSION = 1  # part of the data fingerprint: raise it with every change that alters a row
LABELS: dict[str, tuple[str, ...]] = {
    "sentiment": ("negative", "positive"),
    "entailment": ("entailment", "neutral", "contradiction"),
}
Row = tuple[str, str | None, int]
Item = TypeVar("Item")

MIN_WORDS, MAX_WORDS = 8, 35  # of one text
MAX_ROWS = 1_000_000  # far below the number of different texts, so that looking for an unused one stays cheap

# Shares of the sentiment texts. Ours, tuned so that a bag of words ends near 0.75 and bert-tiny above 0.93.
NEGATED = 0.25  # of the opinions that stand alone
NEGATED_BESIDE = 0.0  # of the opinions beside another one
CONTRASTED = 0.30  # texts with "X but Y" or "although X, Y"
DISTRACTED = 0.30  # texts with an opinion of somebody else or an unreal one
AHEAD = 0.2  # neutral mentions that come first
OPPOSED = 0.75  # of the opinions that do not count, those that contradict the one that does

# Shares of the entailment pairs. Ours, tuned so that a bag of words ends near 0.6.
DENIED = 0.08  # premises with "not" or "never"
REVOICED = 0.10  # hypotheses that turn active into passive or back
DENIALS = ("not", "never")
WEAKENED = 0.30  # of the details that may be left out


def generate(task: str, rows: int, seed: int) -> list[Row]:
    """Return `rows` different examples as (text, second text or None, label id), the same for the same arguments.

    task: "sentiment" (one text) or "entailment" (premise and hypothesis); label ids index LABELS[task].
    Labels are balanced to within one row, also in every beginning of the list; a smaller `rows` gives a beginning.
    The labels follow from the construction without noise: the Bayes ceiling is an accuracy of 1.0 for both tasks.
    Raises DataError for an unknown task and for rows outside 1..1,000,000.
    """
    if task not in LABELS:
        raise DataError(
            f"demo task {task!r}: expected one of {', '.join(LABELS)}. Try: run data=demo data.demo_task=sentiment"
        )
    if not 1 <= rows <= MAX_ROWS:
        raise DataError(f"{rows} demo rows: expected 1 to {MAX_ROWS}. Try: run data=demo data.demo_rows=12000")
    rng = random.Random(f"bertier demo {VERSION} {task} {seed}")  # a string seed is hashed by SHA-512, not by hash()
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
    """Yield label ids for ever: every class once, in random order, then again."""
    while True:
        rest = list(range(classes))
        while rest:
            yield rest.pop(int(rng.random() * len(rest)))


def _pick(rng: random.Random, options: Sequence[Item]) -> Item:
    return options[int(rng.random() * len(options))]


# --- sentiment ---


def _sentiment(rng: random.Random, label: int) -> tuple[str, None]:
    """Return a text in which exactly one opinion counts, and that one has the given label (1 is positive)."""
    topic = _pick(rng, words.TOPICS)
    while True:
        draw = rng.random()
        if draw < CONTRASTED:
            core = _contrast(rng, topic, label == 1)
        elif draw < CONTRASTED + DISTRACTED:
            core = _distract(rng, topic, label == 1)
        else:
            core = _opinion(rng, topic, label == 1, NEGATED)
        text = _sentence(core)
        missing = MIN_WORDS + int(rng.random() * 12) - len(text.split())
        while missing > 0:
            mention = _sentence(_mention(rng, topic))
            missing -= len(mention.split())
            text = f"{mention} {text}" if rng.random() < AHEAD else f"{text} {mention}"
        if len(text.split()) <= MAX_WORDS:
            return text, None


def _sentence(clause: str) -> str:
    return f"{clause[0].upper()}{clause[1:]}."


def _opinion(rng: random.Random, topic: Sequence[str], is_positive: bool, negated: float) -> str:
    """Return a clause of the writer's own; a negated one (their share) holds a word of the other polarity."""
    is_negated = rng.random() < negated
    polarity = is_positive != is_negated
    what = "the " + _pick(rng, topic)
    draw = rng.random()
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
    """Return the deciding clause with one that it outweighs: "X but CORE", "although X, CORE" or "CORE, although X"."""
    core = _opinion(rng, topic, is_positive, NEGATED_BESIDE)
    other = _opinion(rng, topic, not is_positive, NEGATED_BESIDE) if rng.random() < OPPOSED else _mention(rng, topic)
    draw = rng.random()
    if draw < 0.4:
        return f"{other}{_pick(rng, words.BUT)}{core}"
    if draw < 0.6:
        return f"{_pick(rng, words.ALTHOUGH)} {other}, {core}"
    return f"{core}{_pick(rng, words.DESPITE)} {other}"


def _distract(rng: random.Random, topic: Sequence[str], is_positive: bool) -> str:
    """Return the deciding clause beside what somebody else thinks or what might have been."""
    core = _opinion(rng, topic, is_positive, NEGATED_BESIDE)
    polarity = is_positive != (rng.random() < OPPOSED)
    frame = _pick(rng, words.REPORTS if rng.random() < 0.5 else words.HYPOTHETICALS)
    other = frame.format(
        who=_pick(rng, words.PEOPLE),
        what="the " + _pick(rng, topic),
        word=_pick(rng, words.ADJECTIVES[polarity]),
    )
    first, second = (other, core) if rng.random() < 0.5 else (core, other)
    return f"{first}, and {second}" if rng.random() < 0.3 else f"{_sentence(first)} {second[0].upper()}{second[1:]}"


def _mention(rng: random.Random, topic: Sequence[str]) -> str:
    """Return a clause without any opinion."""
    return _pick(rng, words.NEUTRAL).format(
        what="the " + _pick(rng, topic),
        day=_pick(rng, words.DAYS),
        count=_pick(rng, words.COUNTS),
        who=_pick(rng, words.PEOPLE),
        plain=_pick(rng, words.PLAIN_ADJECTIVES),
    )


# --- entailment ---


@dataclass(frozen=True)
class _Party:
    """Who does something or has it done: a number, a trait or neither ("the old doctor", "three dogs")."""

    noun: str
    trait: str = ""
    number: str = ""

    def render(self) -> str:
        if self.number:
            noun = words.PLURALS.get(self.noun, self.noun + "s")
            return " ".join(filter(None, (self.number, self.trait, noun)))
        return f"the {self.trait} {self.noun}" if self.trait else f"the {self.noun}"


@dataclass(frozen=True)
class _Event:
    agent: _Party
    patient: _Party
    verb: tuple[str, str]  # past (also the participle), base
    place: str = ""
    time: str = ""
    denial: str = ""  # one of DENIALS for what did not happen
    is_passive: bool = False

    def render(self) -> str:
        past, base = self.verb
        if self.is_passive:
            be = "were" if self.patient.number else "was"
            subject, middle, other = (
                self.patient,
                " ".join(filter(None, (be, self.denial, past, "by"))),
                self.agent,
            )
        else:
            middle = {"": past, "not": f"did not {base}", "never": f"never {past}"}[self.denial]
            subject, other = self.agent, self.patient
        parts = (subject.render(), middle, other.render(), self.place, self.time)
        return _sentence(" ".join(filter(None, parts)))


def _entailment(rng: random.Random, label: int) -> tuple[str, str]:
    """Return a premise and a hypothesis about one and the same event, so that swapped roles contradict."""
    # The premise is kept until a hypothesis fits: it alone says nothing about the label.
    premise = _event(rng)
    first = second = premise.render()
    while first == second:
        changed = (_same, _another, _clash)[label](rng, premise)
        if changed is None:
            continue
        # Less detail follows from an assertion, but not from a denial: denied events keep their details.
        second = _reword(rng, changed if premise.denial else _weaken(rng, premise, changed)).render()
    return first, second


def _event(rng: random.Random) -> _Event:
    kinds = tuple(words.KINDS)
    of_agent, distance = int(rng.random() * len(kinds)), 1 + int(rng.random() * (len(kinds) - 1))
    while True:
        # At most one trait and one number in an event, so that what belongs together can be found by content.
        traits, numbers = _one_of_two(rng, words.TRAITS, 0.6), _one_of_two(rng, (*words.NUMBERS, "some", "some"), 0.6)
        event = _Event(
            agent=_party(rng, kinds[of_agent], traits[0], numbers[0]),
            # never of the agent's kind
            patient=_party(rng, kinds[(of_agent + distance) % len(kinds)], traits[1], numbers[1]),
            verb=_pick(rng, words.VERBS),
            place=_pick(rng, words.PLACES) if rng.random() < 0.6 else "",
            time=_pick(rng, words.TIMES) if rng.random() < 0.6 else "",
            denial=_pick(rng, DENIALS) if rng.random() < DENIED else "",
            is_passive=rng.random() < 0.15,
        )
        if len(event.render().split()) >= MIN_WORDS:
            return event


def _reword(rng: random.Random, event: _Event) -> _Event:
    """Return the event in other words of the same meaning: passive for active, "never" for "not"."""
    is_passive = event.is_passive != (rng.random() < REVOICED)
    return replace(event, is_passive=is_passive, denial=_pick(rng, DENIALS) if event.denial else "")


def _one_of_two(rng: random.Random, options: Sequence[str], share: float) -> tuple[str, str]:
    if rng.random() >= share:
        return "", ""
    word = _pick(rng, options)
    return (word, "") if rng.random() < 0.5 else ("", word)


def _party(rng: random.Random, kind: str, trait: str, number: str) -> _Party:
    return _Party(kind if rng.random() < 0.15 else _pick(rng, words.KINDS[kind]), trait, number)


def _same(rng: random.Random, premise: _Event) -> _Event:
    return premise


def _another(rng: random.Random, premise: _Event) -> _Event | None:
    """Return an event that the premise leaves open, or None if the drawn change does not apply to it."""
    draw = rng.random()
    if premise.denial or draw < 0.3:
        verb = _pick(rng, words.VERBS)
        return None if verb in (premise.verb, words.OPPOSITE_VERB[premise.verb]) else replace(premise, verb=verb)
    if draw < 0.5:
        return None if premise.place else replace(premise, place=_pick(rng, words.PLACES))
    if draw < 0.7:
        return None if premise.time else replace(premise, time=_pick(rng, words.TIMES))
    return _change_party(rng, premise, _specify)


def _clash(rng: random.Random, premise: _Event) -> _Event | None:
    """Return an event that the premise rules out, or None if the drawn change does not apply to it."""
    draw = rng.random()
    if premise.denial or draw < 0.25:
        return replace(premise, denial="" if premise.denial else "not")
    if draw < 0.4:
        return replace(premise, agent=premise.patient, patient=premise.agent)
    if draw < 0.65:
        return replace(premise, verb=words.OPPOSITE_VERB[premise.verb])
    return _change_party(rng, premise, _oppose)


def _change_party(
    rng: random.Random, event: _Event, change: Callable[[random.Random, _Party], _Party | None]
) -> _Event | None:
    if rng.random() < 0.5:
        agent = change(rng, event.agent)
        return None if agent is None else replace(event, agent=agent)
    patient = change(rng, event.patient)
    return None if patient is None else replace(event, patient=patient)


def _specify(rng: random.Random, party: _Party) -> _Party | None:
    """Return the party with more detail than was given: a trait, a number or the kind of animal, worker, ..."""
    draw = rng.random()
    if draw < 0.4:
        return None if party.trait else replace(party, trait=_pick(rng, words.TRAITS))
    if draw < 0.7:
        return replace(party, number=_pick(rng, words.NUMBERS)) if party.number == "some" else None
    return replace(party, noun=_pick(rng, words.KINDS[party.noun])) if party.noun in words.KINDS else None


def _oppose(rng: random.Random, party: _Party) -> _Party | None:
    """Return the party with the opposite trait or another number."""
    if rng.random() < 0.5:
        return replace(party, trait=words.OPPOSITE_TRAIT[party.trait]) if party.trait else None
    number = _pick(rng, words.NUMBERS)
    is_counted = party.number not in ("", "some", number)
    return replace(party, number=number) if is_counted else None


def _weaken(rng: random.Random, premise: _Event, event: _Event) -> _Event:
    """Return the event with some details left out, those on which the label rests excepted."""
    parties = (premise.agent, premise.patient)
    return replace(
        event,
        agent=_blur(rng, parties, event.agent),
        patient=_blur(rng, parties, event.patient),
        place="" if event.place == premise.place and rng.random() < WEAKENED else event.place,
        time="" if event.time == premise.time and rng.random() < WEAKENED else event.time,
    )


def _blur(rng: random.Random, known: tuple[_Party, _Party], party: _Party) -> _Party:
    """Return the party with less detail if it is one of the premise's, else unchanged."""
    if party not in known:
        return party
    return _Party(
        noun=words.HYPERNYM.get(party.noun, party.noun) if rng.random() < WEAKENED else party.noun,
        trait="" if rng.random() < WEAKENED else party.trait,
        number="some" if party.number and rng.random() < WEAKENED else party.number,
    )
