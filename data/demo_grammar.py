"""Words and sentence frames of the built-in data set; `data/demo.py` puts them together.

Only words live here, no rules. Any change of content or order changes the generated rows: raise `demo.VERSION` with it.
About 550 different words, so a WordPiece vocabulary of 1,000 to 2,000 entries covers the texts.
"""

from __future__ import annotations

# --- sentiment: what is talked about, one topic per text ---
TOPICS = tuple(
    tuple(line.split())
    for line in (
        "film plot acting soundtrack ending script camera dialogue story cast costume finale",
        "restaurant soup bread dessert waiter menu kitchen wine sauce steak salad terrace",
        "hotel room lobby bed breakfast pool view staff bathroom carpet balcony reception",
        "phone screen battery keyboard charger speaker display software cable button update manual",
        "book chapter preface hero prose cover villain translation index author epilogue dictionary",
        "concert band singer drummer stage sound lighting encore choir violin melody orchestra",
        "flight seat crew cabin pilot boarding snack luggage airport gate landing lounge",
        "course lecture teacher exercise textbook exam tutor homework laboratory seminar library classroom",
        "museum guide painting sculpture gallery tour garden shop poster entrance fountain exhibition",
        "jacket zip lining pocket collar fabric sleeve colour belt hood stitching label",
    )
)

POSITIVE = (
    "superb",
    "delightful",
    "excellent",
    "wonderful",
    "brilliant",
    "charming",
    "splendid",
    "lovely",
    "pleasant",
    "fantastic",
    "impressive",
    "marvellous",
    "terrific",
    "elegant",
    "graceful",
    "refreshing",
    "memorable",
    "flawless",
    "outstanding",
    "inspiring",
    "enjoyable",
    "perfect",
    "beautiful",
    "remarkable",
)
NEGATIVE = (
    "awful",
    "dreadful",
    "terrible",
    "horrible",
    "dull",
    "boring",
    "disappointing",
    "annoying",
    "clumsy",
    "mediocre",
    "tedious",
    "shabby",
    "unpleasant",
    "poor",
    "ugly",
    "sloppy",
    "miserable",
    "irritating",
    "pathetic",
    "ridiculous",
    "lousy",
    "tiresome",
    "frustrating",
    "depressing",
)
ADJECTIVES = {True: POSITIVE, False: NEGATIVE}


def _pairs(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(pair.split("/")) for pair in text.split())


# (past, base form after "did not"): few, since every one has to be learnt from about a hundred texts.
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

PEOPLE = (
    *tuple(
        f"{owner} {person}"
        for owner in ("my", "our", "her")
        for person in [
            "brother",
            "sister",
            "neighbour",
            "colleague",
            "cousin",
            "uncle",
            "aunt",
            "friend",
            "boss",
            "grandmother",
            "father",
            "nephew",
        ]
    ),
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
BUT = (", but ", ", but ", ". However, ")  # the usual word twice as often
ALTHOUGH = ("although", "even though")
DESPITE = (", despite the fact that", ", leaving aside that", ", ignoring that")

PLAIN_ADJECTIVES = [
    "red",
    "green",
    "new",
    "large",
    "small",
    "modern",
    "round",
    "square",
    "narrow",
    "wooden",
    "grey",
    "local",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
COUNTS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve", "twenty", "thirty"]
# A neutral mention: {what} a thing of the topic, {day}, {count}, {who} and {plain} a colour, size or make.
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

# --- entailment: nouns with their hypernym ---
KINDS = {
    "animal": ["dog", "cat", "horse", "goat", "sheep", "rabbit", "fox", "donkey", "monkey", "bear"],
    "worker": ["doctor", "nurse", "baker", "farmer", "teacher", "lawyer", "plumber", "sailor", "pilot", "tailor"],
    "musician": ["singer", "drummer", "pianist", "violinist", "guitarist"],
    "athlete": ["runner", "swimmer", "boxer", "cyclist", "wrestler"],
    "child": ["boy", "girl", "toddler", "pupil", "schoolboy"],
}
HYPERNYM = {noun: kind for kind, nouns in KINDS.items() for noun in nouns}
NOUNS = tuple(HYPERNYM)
PLURALS = {"child": "children"}  # all others take an s

# Opposites: past/base on both sides.
# past tense (also the participle) and base form, beside those of the opposite
VERB_PAIRS: tuple[tuple[tuple[str, str], tuple[str, str]], ...] = (
    (("pushed", "push"), ("pulled", "pull")),
    (("praised", "praise"), ("scolded", "scold")),
    (("welcomed", "welcome"), ("ignored", "ignore")),
    (("protected", "protect"), ("attacked", "attack")),
    (("trusted", "trust"), ("doubted", "doubt")),
    (("calmed", "calm"), ("scared", "scare")),
    (("lifted", "lift"), ("dropped", "drop")),
    (("thanked", "thank"), ("blamed", "blame")),
    (("freed", "free"), ("trapped", "trap")),
    (("helped", "help"), ("hindered", "hinder")),
    (("admired", "admire"), ("despised", "despise")),
    (("joined", "join"), ("avoided", "avoid")),
)
OPPOSITE_VERB = {a: b for left, right in VERB_PAIRS for a, b in ((left, right), (right, left))}
VERBS = tuple(OPPOSITE_VERB)
TRAIT_PAIRS = tuple(
    tuple(pair.split("/"))
    for pair in [
        "tall/short",
        "young/old",
        "happy/sad",
        "rich/poor",
        "strong/weak",
        "clean/dirty",
        "quiet/loud",
        "brave/timid",
        "fast/slow",
        "hungry/full",
        "thin/fat",
        "kind/cruel",
    ]
)
OPPOSITE_TRAIT = {a: b for left, right in TRAIT_PAIRS for a, b in ((left, right), (right, left))}
TRAITS = tuple(OPPOSITE_TRAIT)
NUMBERS = ("two", "three", "four", "five", "six", "seven")
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
