"""Scores of tagged words: values, intervals over sentences and paired tests."""

from __future__ import annotations

import numpy as np
import pytest

from runner.statistics.answers import Answers
from runner.statistics.intervals import wilson_interval
from runner.statistics.tag_scores import TAG_SCORES, scores_for

NAMES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")
MARKS = ("O", "COMMA", "PERIOD", "QUESTION")


def answers(gold: str, predicted: str, names: tuple[str, ...]) -> Answers:
    rows = [row.split() for row in gold.split("|")]
    labels, found = (
        np.array([names.index(tag) for tag in text.replace("|", " ").split()]) for text in (gold, predicted)
    )
    return Answers({"label": labels, "prediction": found}, np.cumsum([0, *map(len, rows)]), names=names)


TWO = answers("B-PER I-PER O B-LOC O | B-LOC O B-ORG", "B-PER I-PER O B-ORG O | B-LOC O B-ORG", NAMES)
MARKED = answers("O COMMA O PERIOD | O QUESTION O PERIOD", "O COMMA COMMA PERIOD | O PERIOD O PERIOD", MARKS)


def test_scores_of_entities() -> None:
    values = {name: TAG_SCORES[name].value(TWO) for name in scores_for(NAMES)}
    assert values == pytest.approx(
        {"entity_f1": 0.75, "entity_precision": 0.75, "entity_recall": 0.75, "entity_f1_macro": 7 / 9,
         "entity_f1_strict": 0.75, "token_accuracy": 7 / 8}
    )  # fmt: skip


def test_scores_of_marks_leave_out_the_tag_of_nothing() -> None:
    values = {name: round(TAG_SCORES[name].value(MARKED), 4) for name in scores_for(MARKS)}
    assert values == {
        "tag_f1_macro": 0.4889, "tag_f1": 0.6667, "tag_precision": 0.6, "tag_recall": 0.75, "token_accuracy": 0.75,
    }  # fmt: skip


def test_tags_without_one_of_nothing_are_all_scored() -> None:
    names = ("ADJ", "NOUN")
    found = answers("ADJ NOUN", "ADJ ADJ", names)
    assert TAG_SCORES["tag_f1"].value(found) == TAG_SCORES["token_accuracy"].value(found) == 0.5


def test_the_second_label_has_scores_of_its_own() -> None:
    columns = {**TWO.columns, "second_label": np.array([1, 0] * 4), "second_prediction": np.array([1, 1] * 4)}
    both = Answers(columns, TWO.offsets, names=NAMES, second_names=("LOWER", "CAP"))
    assert TAG_SCORES["entity_f1"].value(both) == 0.75
    assert TAG_SCORES["second_tag_f1"].value(both) == pytest.approx(2 / 3)
    assert TAG_SCORES["second_token_accuracy"].value(both) == 0.5
    assert scores_for(("LOWER", "CAP"), "second_")[0] == "second_tag_f1_macro"


@pytest.mark.parametrize("name", ["entity_f1", "entity_f1_macro", "token_accuracy"])
def test_intervals_draw_sentences_and_hold_the_value(name: str) -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(7, size=400)
    predicted = np.where(generator.random(400) < 0.8, labels, 0)
    found = Answers({"label": labels, "prediction": predicted}, np.arange(0, 401, 8), names=NAMES)
    score = TAG_SCORES[name]
    low, high = score.interval(found)
    assert low < score.value(found) < high
    assert (low, high) == score.interval(found), "the same draws each time"
    one = Answers(found.columns, np.array([0, 400]), names=NAMES)
    low, high = score.interval(one)
    assert low < score.value(one) < high and high - low > 0.7, "one sentence has no scatter, but says little"
    test, p, interval = score.compare([(found, found)])
    assert (test, p, interval.low, interval.high) == ("paired bootstrap", 1.0, 0.0, 0.0)


def test_every_score_counts_entities_within_a_sentence() -> None:
    gold = answers("B-PER | I-PER", "B-PER | I-PER", NAMES)
    assert TAG_SCORES["entity_f1"].value(gold) == 1.0
    assert TAG_SCORES["entity_f1_strict"].value(gold) == 1.0


def test_sentences_without_entities_do_not_narrow_the_interval_of_a_perfect_score() -> None:
    labels = np.zeros(300, np.int64)
    labels[:40:8] = 1  # one entity in each of the first five sentences
    perfect = Answers({"label": labels, "prediction": labels}, np.arange(0, 301, 3), names=NAMES)
    assert TAG_SCORES["entity_f1"].interval(perfect) == wilson_interval(1.0, 5)
    assert TAG_SCORES["token_accuracy"].interval(perfect) == wilson_interval(1.0, 100)


def test_precision_without_an_answer_has_the_widest_interval_and_recall_has_not() -> None:
    found = answers(" | ".join(["B-PER O"] * 20), " | ".join(["O O"] * 20), NAMES)
    assert TAG_SCORES["entity_precision"].interval(found) == (0.0, 1.0)
    assert TAG_SCORES["entity_recall"].interval(found) == wilson_interval(0.0, 20)
