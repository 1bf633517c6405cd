"""Entity scores and scores per mark on cases with known answers (seqeval 1.2.2 and conlleval agree on the lenient)."""

from __future__ import annotations

import numpy as np
import pytest

from data.targets.tag_schemes import entity_types
from runner.statistics.tag_counts import (
    class_counts,
    entity_counts,
    f1,
    f1_macro,
    per_kind,
    precision,
    recall,
)

NAMES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")
Scores = tuple[float, float, float]
ONES, ZEROS, HALVES = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.5, 0.5, 0.5)
CASES: dict[str, tuple[str, str, Scores, Scores]] = {
    "1 equal": ("B-PER I-PER O B-LOC", "B-PER I-PER O B-LOC", ONES, ONES),
    "2 short": ("B-PER I-PER O B-LOC", "B-PER O O B-LOC", HALVES, HALVES),
    "3 other type": ("B-PER I-PER O", "B-LOC I-LOC O", ZEROS, ZEROS),
    "4 begins with I": ("B-PER I-PER O", "I-PER I-PER O", ONES, ZEROS),
    "5 two for one": ("B-PER I-PER O", "B-PER B-PER O", ZEROS, ZEROS),
    "6 type changes": ("B-PER I-PER O", "B-PER I-LOC O", ZEROS, ZEROS),
    "7 IOB1 gold": ("I-PER I-PER O I-LOC", "B-PER I-PER O B-LOC", ONES, ZEROS),
    "8 IOB1 gold, one for two": ("I-PER B-PER O", "I-PER I-PER O", ZEROS, ZEROS),
    "9 nothing predicted": ("B-PER O", "O O", ZEROS, ZEROS),
    "10 nothing actual": ("O O", "B-PER O", ZEROS, ZEROS),
    "10 nothing at all": ("O O", "O O", ZEROS, ZEROS),
    "12 one too many": ("B-PER O O", "B-PER O I-PER", (0.5, 1.0, 0.6667), ONES),
    "two rows": (
        "B-PER I-PER O B-LOC O | B-LOC O B-ORG", "B-PER I-PER O B-ORG O | B-LOC O B-ORG", (0.75,) * 3, (0.75,) * 3,
    ),
    "not over rows": ("B-PER | I-PER", "B-PER | I-PER", ONES, ONES),
}  # fmt: skip


def encode(text: str) -> tuple[np.ndarray, np.ndarray]:
    rows = [row.split() for row in text.split("|")]
    return np.array([NAMES.index(tag) for row in rows for tag in row]), np.cumsum([0, *map(len, rows)])


def counts(gold: str, predicted: str, *, strict: bool = False) -> np.ndarray:
    labels, offsets = encode(gold)
    return entity_counts(labels, encode(predicted)[0], offsets, NAMES, strict=strict)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("strict", [False, True])
def test_golden_entity_scores(case: str, strict: bool) -> None:
    gold, predicted, *expected = CASES[case]
    sums = counts(gold, predicted, strict=strict).sum(0)
    found = [float(score(sums)) for score in (precision, recall, f1)]
    assert found == pytest.approx(expected[strict], abs=5e-5)


def test_macro_and_types_of_the_two_rows() -> None:
    sums = counts(*CASES["two rows"][:2]).sum(0)
    assert f1_macro(sums) == pytest.approx(0.7778, abs=5e-5)
    kinds, found = entity_types(NAMES), per_kind(sums)
    table = {kind: [round(float(found[key][i]), 4) for key in found] for i, kind in enumerate(kinds)}
    assert table == {"PER": [1, 1, 1], "LOC": [1, 0.5, 0.6667], "ORG": [0.5, 1, 0.6667]}


def test_rows_that_end_and_begin_within_a_type_are_two_entities() -> None:
    assert counts("B-PER | I-PER", "B-PER | I-PER")[:, 2].sum() == 2


def test_counts_are_of_each_sentence() -> None:
    found = counts("B-PER O | B-LOC | O", "B-PER O | B-PER | B-ORG")
    assert found[:, 0].tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert found[:, 1].tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 1]]
    assert found[:, 2].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_golden_scores_of_marks() -> None:
    names = ("O", "COMMA", "PERIOD", "QUESTION")
    gold = np.array([names.index(tag) for tag in ["O", "COMMA", "O", "PERIOD", "O", "QUESTION", "O", "PERIOD"]])
    predicted = np.array([names.index(tag) for tag in ["O", "COMMA", "COMMA", "PERIOD", "O", "PERIOD", "O", "PERIOD"]])
    sums = class_counts(gold, predicted, np.array([0, 4, 8]), 4).sum(0)[:, 1:]
    found = per_kind(sums)
    table = {name: [round(float(found[key][i]), 4) for key in found] for i, name in enumerate(names[1:])}
    assert table == {"COMMA": [0.5, 1, 0.6667], "PERIOD": [0.6667, 1, 0.8], "QUESTION": [0, 0, 0]}
    micro = [float(score(sums)) for score in (precision, recall, f1)]
    assert micro == pytest.approx([0.6, 0.75, 0.6667], abs=5e-5)
    assert f1_macro(sums) == pytest.approx(0.4889, abs=5e-5)
    assert float(np.mean(gold == predicted)) == 0.75


def test_scores_take_many_draws_at_once() -> None:
    per_row = counts("B-PER O | B-LOC | O", "B-PER O | B-PER | B-ORG")
    drawn = np.array([[1, 1, 1], [3, 0, 0], [0, 0, 3], [0, 0, 0]])
    sums = np.tensordot(drawn, per_row, axes=(1, 0))
    assert f1(sums).tolist() == pytest.approx([0.4, 1, 0, 0])
    assert f1_macro(sums).tolist() == pytest.approx([(2 / 3 + 0 + 0) / 3, 1, 0, 0])
