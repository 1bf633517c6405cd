"""The built-in data: the same everywhere, balanced, free of noise, and out of reach of a bag of words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from data.errors import DataError
from data.sources import demo_grammar as words
from data.sources.demo import LABELS, generate_demo
from tests.conftest import REPO

GOLDEN = {
    "sentiment": [
        (
            "We live about twelve miles away. The choir thrilled us. We came on Saturday with her friend.",
            None,
            1,
        ),
        (
            "The dialogue delighted us, but the costume remained utterly awful. "
            "I read about it in the newspaper on Tuesday.",
            None,
            0,
        ),
    ],
    "entailment": [
        (
            "The goat trusted the cyclist outside the bank in the morning.",
            "The young goat trusted the cyclist outside the bank.",
            1,
        ),
        (
            "Three young sailors lifted the sheep near the river during the storm.",
            "Some workers dropped the sheep near the river.",
            2,
        ),
        (
            "The fox was thanked by the swimmer in the park.",
            "The animal was thanked by the athlete in the park.",
            0,
        ),
    ],
}


@pytest.mark.parametrize("task", LABELS)
def test_the_first_rows_of_seed_zero_never_change(task: str) -> None:
    assert generate_demo(task, len(GOLDEN[task]), seed=0) == GOLDEN[task]


@pytest.mark.parametrize("task", LABELS)
def test_rows_do_not_depend_on_the_hash_seed_of_the_process(task: str) -> None:
    code = f"from data.sources.demo import generate_demo; print(generate_demo({task!r}, 200, 7))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=REPO,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("task", LABELS)
def test_fewer_rows_are_a_beginning_of_more_and_seeds_differ(task: str) -> None:
    rows = generate_demo(task, 400, seed=3)
    assert rows[:100] == generate_demo(task, 100, seed=3)
    assert len(set(rows) & set(generate_demo(task, 400, seed=4))) < 20


@pytest.mark.parametrize("task", LABELS)
def test_labels_are_balanced_and_no_row_comes_twice(task: str) -> None:
    rows = generate_demo(task, 5000, seed=1)
    counts = Counter(label for _, _, label in rows)
    assert len(counts) == len(LABELS[task])
    assert max(counts.values()) - min(counts.values()) <= 1
    assert len({(first, second) for first, second, _ in rows}) == 5000


@pytest.mark.parametrize("task", LABELS)
def test_no_text_carries_two_labels_in_different_seeds(task: str) -> None:
    label_of: dict[tuple[str, str | None], int] = {}
    for seed in range(4):
        for first, second, label in generate_demo(task, 5000, seed):
            assert label_of.setdefault((first, second), label) == label


@pytest.mark.parametrize("task", LABELS)
def test_texts_have_8_to_35_words_and_hypotheses_at_least_4(task: str) -> None:
    for first, second, _ in generate_demo(task, 3000, seed=2):
        assert 8 <= len(first.split()) <= 35
        assert second is None or 4 <= len(second.split()) <= 35


# --- the labels, read off the text by rules that share no code with the generator ---

_HOLE = re.compile(r"\\\{\w+\\\}")
_FRAMES = [_HOLE.sub(r"[\\w ]+?", re.escape(frame)) for frame in words.REPORTS + words.HYPOTHETICALS]
_FOREIGN = re.compile("|".join(frame + r"(?=\.|, and |$)" for frame in _FRAMES), re.IGNORECASE)
_POLARITY = {word: sign for sign, group in words.ADJECTIVES.items() for word in group} | {
    form: sign
    for verbs in (words.LIKING, words.MOVING)
    for sign, pairs in verbs.items()
    for pair in pairs
    for form in pair
}


def read_sentiment(text: str) -> int:
    """The label of a text, with foreign and unreal opinions and what a contrast outweighs cut out."""
    text = _FOREIGN.sub("", text)
    for marker in words.DESPITE:
        text = re.sub(marker + r"[^.]*\.", ".", text)
    text = re.sub(rf"\b({'|'.join(words.ALTHOUGH)})\b[^,]*,", "", text, flags=re.IGNORECASE)
    for marker in words.BUT:
        text = text.partition(marker)[2] or text
    found = [_POLARITY[word] for word in re.findall(r"\w+", text.lower()) if word in _POLARITY]
    assert len(found) == 1, text
    return int(found[0] != bool(re.search(r"\b(not|hardly|never)\b", text)))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("The soup was superb.", 1),
        ("The soup was not superb at all.", 0),
        ("I hardly disliked the bread.", 1),
        ("The plot was awful, but the cast was truly lovely.", 1),
        ("Although the plot was lovely, the cast was awful.", 0),
        ("The cast was awful, despite the fact that the plot was lovely.", 0),
        ("My uncle found the plot lovely. The cast was awful.", 0),
        ("The plot might have been awful with more money, and the cast was lovely.", 1),
    ],
)
def test_the_rules_of_sentiment_read_spelled_cases_as_documented(text: str, label: int) -> None:
    assert read_sentiment(text) == label


def test_every_sentiment_label_follows_from_the_text() -> None:
    assert [row for row in generate_demo("sentiment", 5000, seed=5) if read_sentiment(row[0]) != row[2]] == []


_SINGULAR = {words.PLURALS.get(noun, noun + "s"): noun for noun in (*words.HYPERNYM, *words.KINDS)}
_PAST = {base: past for past, base in words.VERBS}
_FUNCTION_WORDS = {"the", "was", "were", "by", "did", "not", "never", "some"}
_OPPOSITE = {a[0]: b[0] for a, b in words.OPPOSITE_VERB.items()} | words.OPPOSITE_TRAIT


def content(text: str) -> set[str]:
    found = set(re.findall(r"\w+", text.lower())) - _FUNCTION_WORDS
    return {_PAST.get(word, _SINGULAR.get(word, word)) for word in found}


def is_denied(text: str) -> bool:
    return bool(re.search(r"\b(not|never)\b", text))


def relation(premise: str, hypothesis: str) -> str:
    """How the hypothesis departs from the premise, from its words alone."""
    said = content(premise)
    new = content(hypothesis) - said - {words.HYPERNYM.get(word, "") for word in said}
    if is_denied(premise) != is_denied(hypothesis):
        return "denied"
    if any(_OPPOSITE.get(word) in new for word in said):
        return "opposed"
    return "recounted" if new & set(words.NUMBERS) and said & set(words.NUMBERS) else "new" if new else "nothing new"


def test_entailment_labels_follow_from_what_the_hypothesis_adds_or_turns() -> None:
    ways = {name: Counter[str]() for name in LABELS["entailment"]}
    for premise, hypothesis, label in generate_demo("entailment", 6000, seed=6):
        ways[LABELS["entailment"][label]][relation(premise, hypothesis)] += 1
    assert set(ways["entailment"]) == {"nothing new"}
    # Rarely a neutral one gives the premise's trait, or its opposite, to the other party.
    rare = ways["neutral"]["nothing new"] + ways["neutral"]["opposed"]
    assert set(ways["neutral"]) == {"new", "nothing new", "opposed"} and rare < 100
    # Nothing new in a contradiction: swapped roles.
    assert set(ways["contradiction"]) == {"denied", "opposed", "recounted", "nothing new"}
    assert min(ways["contradiction"].values()) > 60


def bag_score(train: list, test: list, parts: tuple[int, ...]) -> float:
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    bags = [CountVectorizer().fit([row[part] for row in train]) for part in parts]
    seen, unseen = (
        hstack([bag.transform([row[part] for row in rows]) for bag, part in zip(bags, parts)]).tocsr()
        for rows in (train, test)
    )
    model = LogisticRegression(C=0.05, max_iter=200).fit(seen, [row[2] for row in train])
    return float(model.score(unseen, [row[2] for row in test]))


@pytest.mark.parametrize(
    ("task", "parts", "least", "most"),
    [("sentiment", (0,), 0.62, 0.78), ("entailment", (0, 1), 0.55, 0.72), ("entailment", (0,), 0.28, 0.38)],
    ids=["sentiment", "pairs", "premise alone"],
)
def test_a_bag_of_words_stays_far_behind_the_ceiling(
    task: str, parts: tuple[int, ...], least: float, most: float
) -> None:
    score = bag_score(generate_demo(task, 4000, seed=0), generate_demo(task, 1500, seed=1), parts)
    assert least < score < most


def test_an_unknown_task_is_refused_with_the_known_ones_and_a_line_to_paste() -> None:
    with pytest.raises(DataError, match=r"'weather': expected sentiment or entailment.*run data=demo data\.demo"):
        generate_demo("weather", 10, seed=0)


@pytest.mark.parametrize("rows", [0, -1, 1_000_001])
def test_row_counts_out_of_range_are_refused(rows: int) -> None:
    with pytest.raises(DataError, match=r"expected 1\.\.1000000.*data\.demo_rows="):
        generate_demo("sentiment", rows, seed=0)
