"""Texts and their rows in the user's own file."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.load import Rows, read_rows
from data.settings import DataSettings
from data.sources.raw import RawData
from data.splits import DataTask
from data.stores.build_once import SharedCache
from data.targets.class_label import ClassLabel
from runner.mistakes.run_data import NO_TRAIN, RunData, read_run_data
from tests.data.inputs.sounds import sound_file, tone
from tests.runner.mistakes.cases import write_case


def test_rows_are_those_of_the_file_below_its_header_though_cells_have_several_lines(tmp_path: Path) -> None:
    answered = write_case(tmp_path)
    run_data = read_run_data(answered, tmp_path / "cache")
    assert isinstance(run_data, RunData)
    with (tmp_path / "tickets.csv").open(encoding="utf-8", newline="") as stream:
        texts = [row[0] for row in list(csv.reader(stream))[1:]]
    lines = (tmp_path / "tickets.csv").read_text(encoding="utf-8").splitlines()
    for split in ("test", "train"):
        found = run_data.texts(split)
        places = run_data.places(split, run_data.source_rows(split))
        assert [texts[place.row - 1] for place in places] == found
        assert {place.file for place in places} == {"tickets.csv"}
        ends = [text.splitlines()[-1].replace('"', '""') for text in found]
        assert all(end in lines[place.line - 1] for end, place in zip(ends, places))
    assert any(place.line > place.row + 1 for place in places)
    numbers = np.concatenate([run_data.source_rows("train"), run_data.source_rows("val")])
    assert run_data.texts_by_number(numbers) == [*run_data.texts("train"), *run_data.texts("val")]
    assert run_data.texts_by_number(np.array([1])) == [""]  # the header


def test_training_rows_that_folds_answered_have_their_texts(tmp_path: Path) -> None:
    answered = write_case(tmp_path, "data.folds=3", "data.fold=all")
    numbers = read_run_data(answered, tmp_path / "cache").source_rows("train")  # type: ignore[union-attr]
    held_out = replace(answered, split="out_of_fold", source_rows=numbers[2:])
    run_data = read_run_data(held_out, tmp_path / "cache")
    assert isinstance(run_data, RunData) and run_data.texts("out_of_fold") == run_data.texts("train")[2:]
    assert run_data.places("out_of_fold", numbers[2:3])[0].file == "tickets.csv"
    assert run_data.rows.contents["out_of_fold"] != run_data.rows.contents["train"]


def test_data_that_changed_or_went_away_give_no_texts(tmp_path: Path) -> None:
    answered = write_case(tmp_path)
    path = tmp_path / "tickets.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("ticket", "case"), encoding="utf-8")
    assert "its data have changed since" in str(read_run_data(answered, tmp_path / "cache"))
    path.unlink()
    found = read_run_data(answered, tmp_path / "cache")
    assert isinstance(found, str) and "cannot be read" in found and "no such file" in found


@pytest.mark.parametrize("split", ["train", "val", "calibration"])
def test_training_rows_that_changed_are_named_and_the_texts_answered_are_kept(tmp_path: Path, split: str) -> None:
    answered = write_case(tmp_path, "data.calibration=0.3")
    run_data = read_run_data(answered, tmp_path / "cache")
    assert isinstance(run_data, RunData) and run_data.no_train is None
    path, text = tmp_path / "tickets.csv", run_data.texts(split)[1].replace('"', '""')
    content = path.read_text(encoding="utf-8")
    assert content.count(f"{text}") == 1
    path.write_text(content.replace(text, f"{text}!"), encoding="utf-8")
    changed = read_run_data(answered, tmp_path / "cache")
    assert isinstance(changed, RunData) and changed.texts("test") == run_data.texts("test")
    assert changed.no_train == f"the rows of {split} are not those of the run: its data have changed since"


def test_files_of_the_same_name_have_row_numbers_of_their_own(tmp_path: Path) -> None:
    rows = [(f"{'good' if number % 2 else 'bad'} {number}", "yn"[number % 2]) for number in range(24)]
    for folder, between in (("train", "\n"), ("test", " ")):
        (tmp_path / folder).mkdir()
        lines = "".join(f'"{text}{between}end",{label}\n' for text, label in rows)
        (tmp_path / folder / "data.csv").write_text(f"text,label\n{lines}", encoding="utf-8")
    data = DataSettings(name="files", source="files", train_path=str(tmp_path / "train" / "data.csv"),
                        test_path=str(tmp_path / "test" / "data.csv"), text="text", label="label")  # fmt: skip
    cache = SharedCache(tmp_path / "cache")
    run_data = RunData(data, read_rows(data, cache), cache)
    for split in ("train", "test", "train"):
        places = run_data.places(split, run_data.source_rows(split))
        assert [rows[place.row - 1][0] for place in places] == [text[:-4] for text in run_data.texts(split)]


def test_rows_of_a_fold_stand_in_the_file_of_train_whatever_file_validation_has(tmp_path: Path) -> None:
    for name in ("train", "val", "test"):
        rows = "".join(f"{name} {'good' if row % 2 else 'bad'} {row},{'yn'[row % 2]}\n" for row in range(30))
        (tmp_path / f"{name}.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    train, val, test = (str(tmp_path / f"{name}.csv") for name in ("train", "val", "test"))
    data = DataSettings(name="files", source="files", train_path=train, val_path=val, test_path=test, folds=3, fold="1")
    cache = SharedCache(tmp_path / "cache")
    run_data = RunData(data, read_rows(data, cache), cache)
    for split, file in (("val", "train.csv"), ("train", "train.csv"), ("test", "test.csv")):
        places = run_data.places(split, run_data.source_rows(split))
        assert {place.file for place in places} == {file}
        assert [str(place.row - 1) for place in places] == [text.split()[-1] for text in run_data.texts(split)]


def test_rows_of_the_hub_are_named_by_the_config_and_the_split_they_were_read_from(tmp_path: Path) -> None:
    data = DataSettings(name="x", source="hub", id="a/b", config="en", report=["tr"], select_split="dev",
                        report_splits={"test": "held_out"})  # fmt: skip
    rows = Rows(
        RawData(ClassLabel(("n", "y")), {}), "val", ("test", "test_tr"), False, DataTask("class_label", (), False)
    )
    names = {"test": "a/b held_out", "test_tr": "a/b (tr) held_out", "val": "a/b dev", "train": "a/b train"}
    for split, name in names.items():
        assert RunData(data, rows, SharedCache(tmp_path)).places(split, np.array([7]))[0].file == name
    folds = replace(data, folds=3, fold="1")
    assert RunData(folds, rows, SharedCache(tmp_path)).places("val", np.array([7]))[0].file == "a/b train"


def test_sounds_are_shown_by_the_names_of_their_files(tmp_path: Path) -> None:
    for number in range(24):
        clip = sound_file(tone((300.0, 2000.0)[number % 2] + number, 0.2))
        (tmp_path / f"clip {number}.wav").write_bytes(clip)
    rows = "".join(f"clip {number}.wav,{('low', 'high')[number % 2]}\n" for number in range(24))
    (tmp_path / "clips.csv").write_text(f"path,kind\n{rows}", encoding="utf-8")
    data = DataSettings(name="files", source="files", path=str(tmp_path / "clips.csv"), audio="path", label="kind")
    cache = SharedCache(tmp_path / "cache")
    run_data = RunData(data, read_rows(data, cache), cache)
    assert not run_data.holds_texts
    for split in ("train", "test"):
        places = run_data.places(split, run_data.source_rows(split))
        assert run_data.texts(split) == [f"clip {place.row - 1}.wav" for place in places]


def test_labels_without_training_rows_are_compared_with_none(tmp_path: Path) -> None:
    answered = write_case(tmp_path)
    record = replace(answered.record, config=answered.record.config | {"zero_shot": {"from": "aaaa"}})
    run_data = read_run_data(replace(answered, record=record), tmp_path / "cache")
    assert isinstance(run_data, RunData) and run_data.no_train == NO_TRAIN
