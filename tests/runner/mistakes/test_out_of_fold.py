"""Answers to training rows by models that did not see them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runner.mistakes import out_of_fold as module
from runner.mistakes.answered import Answered
from runner.mistakes.out_of_fold import OutOfFold, out_of_fold
from runner.mistakes.run_data import RunData, read_run_data
from runner.statistics.label_errors import find_label_errors
from tests.runner.mistakes.cases import NAMES, WORDS, write_case, write_tickets


def material_of(answered: Answered, folder: Path) -> RunData:
    run_data = read_run_data(answered, folder / "cache")
    assert isinstance(run_data, RunData), run_data
    return run_data


def test_each_training_row_is_answered_once_and_rows_from_elsewhere_after_them(tmp_path: Path) -> None:
    later = tmp_path / "later.csv"
    lines = [f"later {row} {' '.join(WORDS[NAMES[row % 3]])},{NAMES[row % 3]}" for row in range(100)]
    later.write_text("\n".join(["message,topic", *lines]), encoding="utf-8")
    run_data, said = material_of(write_case(tmp_path, f"data.calibration={later}"), tmp_path), list[str]()
    found = out_of_fold(run_data, said.append)
    assert isinstance(found, OutOfFold), found
    of_train = found.source_rows[~found.is_elsewhere]
    assert len(of_train) == len(np.unique(of_train)) == 120 and found.left_out == 0  # train with val, without test
    assert (np.diff(of_train) > 0).all()
    assert found.source_rows[found.is_elsewhere].tolist() == [*range(2, 102)]  # lines of the other file
    assert found.probabilities.shape == (220, 3) and found.accuracy > 0.9
    assert found.probabilities.sum(1) == pytest.approx(np.ones(220))
    assert said == ["fitting n-gram models on 120 training rows, 5 folds"]


def test_wrong_labels_are_among_the_first_that_are_doubted(tmp_path: Path) -> None:
    write_tickets(tmp_path / "tickets.csv", 600)
    run_data = material_of(write_case(tmp_path), tmp_path)
    raw = run_data.rows.raw.splits["train"]
    wrong = np.sort(np.random.default_rng(0).permutation(len(raw))[:6])
    raw.labels.values[wrong] = (raw.labels.values[wrong] + 1) % 3
    found = out_of_fold(run_data, lambda _: None)
    assert isinstance(found, OutOfFold)
    flagged = found.source_rows[find_label_errors(found.labels, found.probabilities).rows]
    assert len(set(raw.source_rows[wrong]) & set(flagged[:10])) >= 5


def test_equal_texts_are_in_one_fold_and_a_share_that_calibrates_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dealt = dict[str, np.ndarray]()

    def kept(*given: object, **_: object) -> None:
        dealt["labels"], dealt["fold"] = np.asarray(given[1]), np.asarray(given[2])

    monkeypatch.setattr(module, "answer_by_folds", kept)
    write_tickets(tmp_path / "tickets.csv")
    with (tmp_path / "tickets.csv").open("a", encoding="utf-8") as stream:
        stream.writelines(f"one of few texts: {number % 5},{NAMES[number % 3]}\n" for number in range(60))
    run_data = material_of(write_case(tmp_path, "data.calibration=0.3"), tmp_path)
    assert out_of_fold(run_data, print) == "no word occurs in two training rows"
    numbers = np.sort(np.concatenate([run_data.source_rows(split) for split in ("train", "val", "calibration")]))
    assert len(dealt["fold"]) == len(numbers)
    texts = run_data.texts_by_number(numbers)
    for text in {text for text in texts if text.startswith("one of few")}:
        assert len({fold for fold, own in zip(dealt["fold"], texts) if own == text}) == 1, text
    alone = np.array([not text.startswith("one of few") for text in texts])
    counts = [np.bincount(dealt["labels"][alone & (dealt["fold"] == fold)], minlength=3) for fold in range(5)]
    assert np.ptp(np.stack(counts), axis=0).max() <= 12 and min(map(min, counts)) > 0


def test_a_sample_of_many_rows_is_looked_at_unless_all_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 80)
    run_data = material_of(write_case(tmp_path), tmp_path)
    some, again = (out_of_fold(run_data, lambda _: None) for _ in range(2))
    whole = out_of_fold(run_data, lambda _: None, every_row=True)
    assert isinstance(some, OutOfFold) and isinstance(again, OutOfFold) and isinstance(whole, OutOfFold)
    assert (len(some.labels), some.left_out) == (80, 40) and (len(whole.labels), whole.left_out) == (120, 0)
    assert np.array_equal(some.source_rows, again.source_rows)
    assert np.array_equal(some.probabilities, again.probabilities)


def test_a_fold_that_stands_for_a_split_of_its_own_is_looked_at(tmp_path: Path) -> None:
    write_tickets(tmp_path / "train.csv", 200)
    write_tickets(tmp_path / "val.csv", 40)
    files = ("data.path=null", f"data.train_path={tmp_path / 'train.csv'}", f"data.val_path={tmp_path / 'val.csv'}")
    run_data = material_of(write_case(tmp_path, *files, "data.folds=4", "data.fold=1"), tmp_path)
    found = out_of_fold(run_data, lambda _: None)
    held_out = run_data.source_rows("val")
    assert isinstance(found, OutOfFold) and len(held_out) > 20 and set(held_out) <= set(found.source_rows)
    assert len(found.source_rows) == len(run_data.source_rows("train")) + len(held_out)


def test_too_few_rows_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ROWS", 3)
    found = out_of_fold(material_of(write_case(tmp_path), tmp_path), lambda _: None)
    assert found == "fewer than 5 training rows can be held out"
