"""Words and sentence frames of the built-in data set; `data/sources/demo.py` draws from them.

Any change of content or order changes the generated rows, so raise `demo.VERSION` with it.
The two tasks use about 450 distinct words, so a WordPiece vocabulary of 1,000 entries covers either.
"""

from __future__ import annotations

from dataclasses import dataclass


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((left, right) for left, right in (pair.split("/") for pair in text.split()))


# --- sentiment ---

# Things that texts are about; one topic per text.
TOPICS = (
    _words("film plot acting soundtrack ending script camera dialogue story cast costume finale"),
    _words("restaurant soup bread dessert waiter menu kitchen wine sauce steak salad terrace"),
    _words("hotel room lobby bed breakfast pool view staff bathroom carpet balcony reception"),
    _words("phone screen battery keyboard charger speaker display software cable button update manual"),
    _words("book chapter preface hero prose cover villain translation index author epilogue dictionary"),
    _words("concert band singer drummer stage sound lighting encore choir violin melody orchestra"),
    _words("flight seat crew cabin pilot boarding snack luggage airport gate landing lounge"),
    _words("course lecture teacher exercise textbook exam tutor homework laboratory seminar library classroom"),
    _words("museum guide painting sculpture gallery tour garden shop poster entrance fountain exhibition"),
    _words("jacket zip lining pocket collar fabric sleeve colour belt hood stitching label"),
)
# There are few opinion words, so that each occurs in some hundred texts to learn from.
ADJECTIVES = {
    True: _words(
        "superb delightful excellent wonderful brilliant charming splendid lovely pleasant fantastic "
        "impressive marvellous terrific elegant graceful refreshing memorable flawless outstanding "
        "inspiring enjoyable perfect beautiful remarkable"
    ),
    False: _words(
        "awful dreadful terrible horrible dull boring disappointing annoying clumsy mediocre tedious "
        "shabby unpleasant poor ugly sloppy miserable irritating pathetic ridiculous lousy tiresome "
        "frustrating depressing"
    ),
}
# (past, base form after "did not")
LIKING = {
    True: _pairs("loved/love enjoyed/enjoy admired/admire adored/adore appreciated/appreciate liked/like"),
    False: _pairs("hated/hate disliked/dislike regretted/regret detested/detest loathed/loathe resented/resent"),
}
MOVING = {
    True: _pairs("impressed/impress pleased/please delighted/delight charmed/charm amazed/amaze thrilled/thrill"),
    False: _pairs("disappointed/disappoint annoyed/annoy bored/bore irritated/irritate upset/upset disgusted/disgust"),
}
DEGREES = ("", "", "very ", "truly ", "really ", "quite ", "simply ", "rather ", "absolutely ", "utterly ")
NEGATED_BE = ("was not {word} at all", "was hardly {word}", "was never {word}")
NEGATED_DO = ("did not {base} {what} at all", "hardly {past} {what}", "never {past} {what}")
ASSERTED_BE = ("was", "seemed", "felt", "turned out", "remained", "proved")

_RELATED = _words("brother sister neighbour colleague cousin uncle aunt friend boss grandmother father nephew")
PEOPLE = (
    *(f"{owner} {person}" for owner in ("my", "our", "her") for person in _RELATED),
    "the critic",
    "the reporter",
    "a stranger",
    "the blogger",
    "a famous columnist",
    "the man behind us",
)
REPORTS = (
    "{who} found {what} {word}",
    "{who} called {what} {word}",
    "{who} considered {what} {word}",
    "{who} told us that {what} was {word}",
    "{who} insisted that {what} was {word}",
    "according to {who}, {what} was {word}",
    "in the eyes of {who}, {what} was {word}",
)
HYPOTHETICALS = (
    "{what} could have been {word} on another day",
    "{what} might have been {word} with more money",
    "I had expected {what} to be {word}",
    "we were told to expect that {what} would be {word}",
    "{what} would have been {word} under different circumstances",
    "people had warned me that {what} might be {word}",
)
BUT = (", but ", ", but ", ". However, ")  # the usual word is listed twice, to be drawn twice as often
ALTHOUGH = ("although", "even though")
DESPITE = (", despite the fact that", ", leaving aside that", ", ignoring that")

PLAIN_ADJECTIVES = _words("red green new large small modern round square narrow wooden grey local")
DAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
COUNTS = _words("two three four five six seven eight nine ten twelve twenty thirty")
# A neutral mention; {what} is a thing of the topic, and {plain} a colour, size or make.
NEUTRAL = (
    "we came on {day} with {who}",
    "I went there on {day}",
    "it was raining on {day} evening",
    "{who} had paid {count} dollars for it",
    "it cost {count} euros in total",
    "we waited for {count} minutes",
    "{what} was {plain}",
    "there was a {plain} sign next to it",
    "I read about it in the newspaper on {day}",
    "{who} took {count} pictures",
    "this was our visit number {count} since last winter",
    "it all began around {count} in the afternoon",
    "we live about {count} miles away",
    "{who} was wearing a {plain} hat that {day}",
)

# --- entailment ---

# Nouns by their hypernym.
KINDS = {
    "animal": _words("dog cat horse goat sheep rabbit fox donkey"),
    "worker": _words("doctor nurse baker farmer lawyer sailor"),
    "musician": _words("singer drummer pianist violinist guitarist"),
    "athlete": _words("runner swimmer boxer cyclist wrestler"),
    "child": _words("boy girl toddler pupil schoolboy"),
}
HYPERNYM = {noun: kind for kind, nouns in KINDS.items() for noun in nouns}
PLURALS = {"child": "children", "sheep": "sheep", "fox": "foxes"}  # all others take an s

# (past, base): the kind verb first, then its opposite
_KIND = _pairs(
    "praised/praise welcomed/welcome protected/protect trusted/trust calmed/calm lifted/lift thanked/thank freed/free"
)
_UNKIND = _pairs(
    "scolded/scold ignored/ignore attacked/attack doubted/doubt scared/scare dropped/drop blamed/blame trapped/trap"
)
VERB_PAIRS = tuple(zip(_KIND, _UNKIND))
OPPOSITE_VERB = {a: b for pair in VERB_PAIRS for a, b in (pair, pair[::-1])}
VERBS = tuple(OPPOSITE_VERB)
_OPPOSITES = _pairs("tall/short young/old happy/sad rich/poor strong/weak clean/dirty brave/timid fast/slow")
OPPOSITE_TRAIT = {a: b for pair in _OPPOSITES for a, b in (pair, pair[::-1])}
TRAITS = tuple(OPPOSITE_TRAIT)
NUMBERS = _words("two three four five six seven")
AMOUNTS = (*NUMBERS, "some", "some")
PLACES = (
    "in the park",
    "near the river",
    "behind the school",
    "at the station",
    "on the bridge",
    "in the market",
    "beside the church",
    "outside the bank",
    "at the harbour",
    "in the forest",
    "on the beach",
    "under the tower",
)
TIMES = (
    "on Monday",
    "on Friday",
    "on Sunday",
    "in the morning",
    "after lunch",
    "before dinner",
    "at noon",
    "at midnight",
    "last week",
    "last summer",
    "during the storm",
    "after the concert",
)
DENIALS = ("not", "never")


def sentence(clause: str) -> str:
    """Return the clause with a capital and a full stop."""
    return f"{clause[0].upper()}{clause[1:]}."


@dataclass(frozen=True)
class Party:
    """The agent or patient of an event, such as "the old doctor" or "three dogs"."""

    noun: str
    trait: str = ""
    number: str = ""

    def render(self) -> str:
        """Return the noun phrase."""
        if self.number:
            noun = PLURALS.get(self.noun, self.noun + "s")
            return " ".join(filter(None, (self.number, self.trait, noun)))
        return f"the {self.trait} {self.noun}" if self.trait else f"the {self.noun}"


@dataclass(frozen=True)
class Event:
    """Something that an agent did to a patient."""

    agent: Party
    patient: Party
    verb: tuple[str, str]  # past (also the participle), base
    place: str = ""
    time: str = ""
    denial: str = ""  # one of DENIALS for what did not happen
    is_passive: bool = False

    def render(self) -> str:
        """Return the sentence."""
        past, base = self.verb
        if self.is_passive:
            be = "were" if self.patient.number else "was"
            middle = " ".join(filter(None, (be, self.denial, past, "by")))
            subject, other = self.patient, self.agent
        else:
            middle = {"": past, "not": f"did not {base}", "never": f"never {past}"}[self.denial]
            subject, other = self.agent, self.patient
        parts = (subject.render(), middle, other.render(), self.place, self.time)
        return sentence(" ".join(filter(None, parts)))
