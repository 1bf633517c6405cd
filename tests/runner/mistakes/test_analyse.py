"""From stored answers to findings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from runner.mistakes import analyse as module
from runner.mistakes.analyse import analyse
from runner.mistakes.findings import SuspectLabels
from runner.mistakes.out_of_fold import OutOfFold
from runner.mistakes.run_data import RunData, read_run_data
from tests.runner.mistakes.cases import NAMES, write_case, write_tickets


def test_mistakes_are_ordered_by_confidence_and_have_rows_texts_and_neighbours(tmp_path: Path) -> None:
    answered = write_case(tmp_path)
    found = analyse(answered, tmp_path / "cache", print, label_errors=False)
    assert (found.rows, found.right) == (120, 108) and found.no_texts is None
    assert len(found.mistakes) == 12 == len(found.shown)
    assert (np.diff([one.confidence for one in found.mistakes]) <= 0).all()
    for one in found.shown:
        assert one.answer == NAMES[(NAMES.index(one.label) + 1) % 3]
        assert one.text and one.place and one.place.file == "tickets.csv"
        assert one.near and one.near[0].label == one.label  # each class has words of its own
    assert found.suspects == "left out (label_errors=false)"
    assert {one.name: one.rows for one in found.classes} == dict.fromkeys(NAMES, 40)
    assert found.classes[0].taken_for[0][0] == "delivery"
    assert found.copies is not None and found.copies.looked_up == 120


def test_without_the_data_the_findings_have_no_texts(tmp_path: Path) -> None:
    answered = write_case(tmp_path)
    (tmp_path / "tickets.csv").unlink()
    found = analyse(answered, tmp_path / "cache", print, label_errors=True)
    assert found.no_texts and "cannot be read" in found.no_texts and found.suspects == found.no_texts
    assert found.mistakes[0].text is None and found.mistakes[0].place is None and found.copies is None
    assert [one.name for one in found.slices] == [f"class {name}" for name in NAMES]


def test_sounds_that_are_also_in_train_are_a_slice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tickets(tmp_path / "tickets.csv")
    with (tmp_path / "tickets.csv").open("a", encoding="utf-8") as stream:
        stream.writelines(f"one of few texts: {number % 5},{NAMES[number % 3]}\n" for number in range(120))
    answered = write_case(tmp_path)
    name = "{} also in train"
    assert name.format("text") in [one.name for one in analyse(answered, tmp_path, print, label_errors=False).slices]
    monkeypatch.setattr(RunData, "holds_texts", property(lambda _: False))
    found = analyse(answered, tmp_path, print, label_errors=False).slices
    assert [one.name for one in found] == [name.format("sound"), *(f"class {topic}" for topic in NAMES)]


def test_rows_set_aside_to_calibrate_on_may_be_mislabelled_too_and_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tickets(tmp_path / "tickets.csv")
    with (tmp_path / "tickets.csv").open("a", encoding="utf-8") as stream:
        stream.writelines(f"one of few texts: {number % 5},{NAMES[number % 3]}\n" for number in range(60))
    answered = write_case(tmp_path, "data.calibration=0.3")
    run_data = read_run_data(answered, tmp_path / "cache")
    assert isinstance(run_data, RunData)
    numbers = np.sort(np.concatenate([run_data.source_rows(split) for split in ("train", "val", "calibration")]))
    wrong = run_data.source_rows("calibration")[:2]
    labels = np.arange(len(numbers)) % 3
    shares = np.full((len(numbers), 3), 0.1)
    shares[np.arange(len(numbers)), np.where(np.isin(numbers, wrong), (labels + 1) % 3, labels)] = 0.8
    nowhere = np.zeros(len(numbers), bool)
    known = OutOfFold(numbers, nowhere, labels, shares, 0.9)
    monkeypatch.setattr(module, "out_of_fold", lambda *_, **__: known)
    found = analyse(answered, tmp_path / "cache", print, label_errors=True)
    apart = run_data.source_rows("calibration")
    assert isinstance(found.suspects, SuspectLabels) and found.suspects.apart == len(apart) > 30
    places = [(one.split, one.place.line) for one in found.suspects.flagged]
    assert places == [("calibration", row) for row in wrong]
    assert {one.text for one in found.suspects.flagged} == set(run_data.texts("calibration", np.array([0, 1])))
    shared = np.isin(run_data.hashes("test"), run_data.hashes("calibration")).sum()
    assert found.copies is not None and found.copies.apart == shared > 0


def test_training_rows_that_changed_since_the_run_are_not_shown_as_those_of_the_run(tmp_path: Path) -> None:
    write_tickets(tmp_path / "train.csv")
    write_tickets(tmp_path / "tickets.csv", rows=120)
    paths = [f"data.train_path={tmp_path / 'train.csv'}", f"data.test_path={tmp_path / 'tickets.csv'}"]
    answered = write_case(tmp_path, "data.path=null", "data.test_fraction=0.1", *paths)
    before = analyse(answered, tmp_path / "cache", print, label_errors=False)
    assert before.no_train is None and before.copies is not None and before.copies.equal and before.shown[0].near
    lines = (tmp_path / "train.csv").read_text(encoding="utf-8").replace(",login\n", ",new topic\n", 20)
    (tmp_path / "train.csv").write_text(lines, encoding="utf-8")
    found = analyse(answered, tmp_path / "cache", print, label_errors=True)
    assert found.no_train and "the rows of train are not those of the run" in found.no_train
    assert found.suspects == found.no_train and found.copies is None and not any(one.near for one in found.shown)
    assert [one.text for one in found.mistakes] == [one.text for one in before.mistakes]
    assert not any("train" in one.name for one in found.slices)
