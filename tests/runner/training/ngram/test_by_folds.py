"""Answers of models over n-grams to rows that they were not fitted on."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from models.ngrams.pairs import PairOptions
from runner.statistics.temperature import fit_temperature
from runner.training.ngram import by_folds as module
from runner.training.ngram.by_folds import answer_by_folds
from tests.runner.training.ngram.rows import review_texts, split_of_texts


@pytest.mark.parametrize("classes", [2, 3])
def test_rows_are_answered_by_what_other_folds_say(classes: int) -> None:
    texts, labels = review_texts(600, classes)
    fold = np.arange(600) // classes % 5
    more, truth = review_texts(100, classes, seed=1)
    found = answer_by_folds(split_of_texts(texts, labels), np.array(labels), fold, classes,
                            other=split_of_texts(more, truth))  # fmt: skip
    assert found is not None and found.other is not None
    assert found.held_out.shape == (600, classes) and found.other.shape == (100, classes)
    assert found.held_out.sum(1) == pytest.approx(np.ones(600)) and found.other.sum(1) == pytest.approx(np.ones(100))
    assert (found.held_out.argmax(1) == labels).mean() > 0.7 and (found.other.argmax(1) == truth).mean() > 0.7


def test_a_row_has_no_part_in_its_own_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STRENGTHS", (0.1,))  # which is chosen by the answers to the first fold
    texts, labels = review_texts(300)
    fold = np.arange(300) // 2 % 3
    split, truth = split_of_texts(texts, labels), np.array(labels)
    turned = truth.copy()
    turned[fold == 1] = 1 - turned[fold == 1]
    before, after = (answer_by_folds(split, own, fold, 2) for own in (truth, turned))
    assert before is not None and after is not None
    mine, other = (answers.held_out[fold == 1, 1] for answers in (before, after))
    ratio = np.log(mine / (1 - mine)) / np.log(other / (1 - other))
    assert ratio == pytest.approx(np.full_like(ratio, ratio[0])), "one temperature is all that may differ"
    assert not np.allclose(before.held_out[fold == 0], after.held_out[fold == 0])


def test_answers_are_calibrated_by_those_to_rows_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STRENGTHS", (30.0,))  # far too sure of its weights
    texts, labels = review_texts(600)
    found = answer_by_folds(split_of_texts(texts, labels), np.array(labels), np.arange(600) // 2 % 5, 2)
    assert found is not None
    again = fit_temperature(np.log(found.held_out), np.array(labels))
    assert again.value == 1.0 and "noise" in again.reason, "nothing is left to calibrate"
    monkeypatch.setattr(module, "fit_temperature", lambda *_: SimpleNamespace(value=1.0))
    plain = answer_by_folds(split_of_texts(texts, labels), np.array(labels), np.arange(600) // 2 % 5, 2)
    assert plain is not None and fit_temperature(np.log(plain.held_out), np.array(labels)).value > 1.2


def test_the_strength_has_the_least_loss_on_rows_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, labels = review_texts(400)
    held = []
    for strength in (0.03, 30.0):
        monkeypatch.setattr(module, "STRENGTHS", (strength,))
        found = answer_by_folds(split_of_texts(texts, labels), np.array(labels), np.arange(400) // 2 % 4, 2)
        assert found is not None
        held.append(found.held_out)
    assert not np.allclose(*held)
    for strengths in ((0.03, 30.0), (30.0, 0.03)):
        monkeypatch.setattr(module, "STRENGTHS", strengths)
        found = answer_by_folds(split_of_texts(texts, labels), np.array(labels), np.arange(400) // 2 % 4, 2)
        assert found is not None and np.allclose(found.held_out, held[0]), "a model of 30 learns what is noise"


def test_further_rows_are_answered_by_the_mean_of_all_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STRENGTHS", (1.0,))
    texts, labels = review_texts(300)
    more, truth = review_texts(50, seed=1)
    fold = np.arange(300) // 2 % 3
    found = [
        answer_by_folds(split_of_texts(texts, labels), np.array(labels), numbers, 2, other=split_of_texts(more, truth))
        for numbers in (fold, (fold + 1) % 3)
    ]
    assert found[0] is not None and found[1] is not None
    np.testing.assert_allclose(found[0].other, found[1].other)


def test_rows_in_no_fold_are_learned_from_and_not_answered() -> None:
    texts, labels = review_texts(200)
    fold = np.where(np.arange(200) < 100, -1, np.arange(200) // 2 % 2)
    found = answer_by_folds(split_of_texts(texts, labels), np.array(labels), fold, 2)
    assert found is not None and np.isnan(found.held_out[:100]).all() and np.isfinite(found.held_out[100:]).all()


def test_pairs_are_read_as_pairs_and_a_class_of_one_row_does_not_stop_the_others() -> None:
    texts, labels = review_texts(300)
    labels[0] = 2
    found = answer_by_folds(split_of_texts(texts, labels), np.array(labels), np.arange(300) % 5, 3)
    assert found is not None and np.isfinite(found.held_out).all()
    split = split_of_texts(texts, labels)
    split.segment_starts = np.asarray(split.segment_starts) // 2
    paired = answer_by_folds(split, np.array(labels), np.arange(300) % 5, 3, pairs=PairOptions(2, cross=True))
    assert paired is not None and not np.allclose(paired.held_out, found.held_out)


def test_texts_that_share_no_word_have_no_answers() -> None:
    split = split_of_texts([f"word{number}" for number in range(10)], [number % 2 for number in range(10)])
    assert answer_by_folds(split, np.arange(10) % 2, np.arange(10) % 5, 2) is None
