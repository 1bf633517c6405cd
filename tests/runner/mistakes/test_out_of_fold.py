"""Answers to training rows by models that did not see them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runner.experiment.context import RunContext
from runner.experiment.outcome import Outcome
from runner.mistakes import out_of_fold as module
from runner.mistakes.out_of_fold import OutOfFold, fold_settings, out_of_fold
from runner.schema import Settings
from tests.runner.mistakes.cases import NAMES, WORDS, write_case


def test_each_training_row_is_answered_once_and_by_runs_of_their_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FOLDS", 2)  # each costs a second
    later = tmp_path / "later.csv"
    lines = [f"later {row} {' '.join(WORDS[NAMES[row % 3]])},{NAMES[row % 3]}" for row in range(100)]
    later.write_text("\n".join(["message,topic", *lines]), encoding="utf-8")
    record = write_case(tmp_path, f"data.calibration={later}").record
    output, cache = tmp_path / "out", tmp_path / "cache"
    said: list[str] = []
    found = out_of_fold(record, output, cache, said.append)
    assert isinstance(found, OutOfFold), found
    of_train = found.source_rows[~found.is_elsewhere]
    assert len(of_train) == len(np.unique(of_train)) == 120  # train with val, without test
    assert found.source_rows[found.is_elsewhere].tolist() == [*range(2, 102)]  # lines of the other file
    assert found.probabilities.shape == (220, 3) and found.accuracy > 0.9 and len(said) == 2
    assert found.probabilities.sum(1) == pytest.approx(np.ones(220))
    assert sorted(path.name for path in output.glob("*/record.json")) == [
        "record.json"
    ]  # the folds are no part of lists
    again = out_of_fold(record, output, cache, said.append)
    assert isinstance(again, OutOfFold) and len(said) == 2 and again.runs == found.runs


def test_a_class_of_one_row_is_said(tmp_path: Path) -> None:
    record = write_case(tmp_path).record
    path = tmp_path / "tickets.csv"
    with path.open("a", encoding="utf-8") as stream:
        stream.write("a single one,rare\n")
    record.config["data"]["test_fraction"] = 0.1
    found = out_of_fold(record, tmp_path / "out", tmp_path / "cache", lambda _: None)
    assert isinstance(found, str) and "rare" in found


def test_an_interruption_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_settings: Settings, _words: list[str], _context: RunContext) -> Outcome:
        return Outcome(130)

    record = write_case(tmp_path).record
    monkeypatch.setattr(module, "start_run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        out_of_fold(record, tmp_path / "out", tmp_path / "cache", lambda _: None)


def test_the_folds_are_quiet_runs_on_the_data_of_the_run(tmp_path: Path) -> None:
    record = write_case(tmp_path).record
    settings, words = fold_settings(record, 2, tmp_path / "folds", tmp_path / "cache")
    assert settings.model.name == "ngram" and (settings.data.folds, settings.data.fold) == (5, "2")
    assert settings.data.path == str(tmp_path / "tickets.csv") and not settings.measure.enabled
    assert settings.tracker.name == "none" and settings.paths.output == str(tmp_path / "folds")
    assert words[0] == "model=ngram" and words[-2:] == ["data.folds=5", "data.fold=2"]
    cut = write_case(tmp_path, "data.calibration=0.3", name="of-a-share").record
    of_cut, own = fold_settings(cut, 2, tmp_path / "folds", tmp_path / "cache")
    assert (of_cut.data, own) == (settings.data, words), "rows that were set aside are dealt into the folds"
