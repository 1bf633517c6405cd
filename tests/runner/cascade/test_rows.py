"""Calibration rows select in both runs and train neither; reported rows are the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from data.load import read_rows
from data.stores.build_once import SharedCache
from runner.cascade.pair import Pair, open_pair
from runner.cascade.rows import read_calibration_rows, read_data, read_reported_rows
from runner.deploy.predictors import open_predictor
from runner.errors import ConfigError
from runner.record.data_settings import data_settings
from tests.runner.cascade.runs import LARGE, SMALL, store, texts_of

AUTO = {"small": "auto", "large": "auto"}


def opened(place: Path, large: Path | None = None) -> Pair:
    sources = {"small": SMALL, "large": str(large) if large else LARGE}
    return open_pair(sources, place / "outputs", AUTO)


def edited(place: Path, folder: Path, **data: object) -> Path:
    """A copy of the large run whose record says other things of its data."""
    shutil.copytree(place / "outputs" / LARGE, folder)
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    record["data"] |= data
    (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def test_probabilities_are_those_with_which_the_models_answer(place: Path) -> None:
    pair = opened(place)
    rows = read_data(pair.large, "val", place / "cache")
    assert not isinstance(rows, str)
    texts = texts_of(rows, "val")
    found = read_calibration_rows(pair, "at_most_loss=0.05", place / "cache")
    assert (found.split, len(found)) == ("val", len(texts))
    for side, shares in zip(pair.sides, (found.small, found.large)):
        given = open_predictor(side.model)(texts)
        np.testing.assert_allclose(shares, [list(one["probabilities"].values()) for one in given], atol=1e-6)
    assert (found.small_right == (found.small.argmax(1) == found.labels)).all()
    assert (found.confidence == found.small.max(1)).all()


def test_rows_in_common_are_found_by_their_texts(place: Path, tmp_path: Path) -> None:
    """The large run selected on every second of these rows only, in another order."""
    folder, pair = edited(place, tmp_path / "half"), opened(place)
    both = read_calibration_rows(pair, "x", place / "cache")
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    record["config"]["data"]["max_eval_rows"] = len(both) // 2
    (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
    half = opened(place, folder)
    rows = read_rows(data_settings(half.large.record), SharedCache(place / "cache"))
    raw = rows.raw.splits["val"]
    whole = read_data(pair.large, "val", place / "cache")
    assert not isinstance(whole, str)
    all_texts, some_texts = texts_of(whole, "val"), texts_of(rows, "val")
    chosen = np.array([all_texts.index(text) for text in some_texts])
    assert 0 < len(chosen) < len(both)
    store(folder, "val", np.log(both.large[chosen]), both.labels[chosen])
    record["data"]["fingerprints"]["val"] = raw.fingerprint()
    record["data"]["rows"]["val"] = len(raw)
    (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
    found = read_calibration_rows(opened(place, folder), "x", place / "cache")
    unique = sorted({text: row for row, text in zip(chosen, some_texts)}.values())
    assert len(found) == len(unique)
    np.testing.assert_allclose(np.sort(found.confidence), np.sort(both.confidence[unique]), atol=1e-6)
    np.testing.assert_allclose(np.sort(found.large[:, 0]), np.sort(both.large[unique, 0]), atol=1e-6)


def test_other_reported_rows_and_changed_data_are_refused(place: Path, tmp_path: Path) -> None:
    prints = {"train": "a", "val": "b", "test": "c"}
    other = opened(place, edited(place, tmp_path / "other", fingerprints=prints))
    with pytest.raises(ConfigError, match="5555 and other report different rows"):
        read_reported_rows(other, "at_most_loss=0.05")
    with pytest.raises(ConfigError, match="their common rows are unknown: the data of run other have changed since"):
        read_calibration_rows(other, "at_most_loss=0.05", place / "cache")


def test_rows_that_may_have_trained_a_run_are_not_common_rows(place: Path, tmp_path: Path) -> None:
    record = opened(place).large.record
    prints = record.data.fingerprints | {"train": "a", "val": ""}
    other = opened(place, edited(place, tmp_path / "retrained", fingerprints=prints))
    with pytest.raises(ConfigError, match="run retrained have changed since: the rows of train differ"):
        read_calibration_rows(other, "at_most_loss=0.05", place / "cache")


def test_rows_that_all_train_are_refused(place: Path, tmp_path: Path) -> None:
    folder = edited(place, tmp_path / "whole", calibration="out_of_fold")
    with pytest.raises(ConfigError, match=r"all rows of run .* are trained on .*Try: data.calibration=0.1 for both"):
        read_calibration_rows(opened(place, folder), "x", place / "cache")


def test_rows_that_are_reported_too_are_refused(place: Path, tmp_path: Path) -> None:
    same = opened(place, edited(place, tmp_path / "same", selection="test/accuracy"))
    with pytest.raises(ConfigError, match="the rows of test are the reported ones too"):
        read_calibration_rows(same, "at_most_loss=0.05", place / "cache")


def test_missing_answers_are_said_with_the_command_that_makes_them(place: Path, tmp_path: Path) -> None:
    folder = edited(place, tmp_path / "none")
    (folder / "predictions-test.parquet").unlink()
    with pytest.raises(ConfigError, match="Make them: run model=bert-tiny"):
        read_reported_rows(opened(place, folder), "at_most_loss=0.05")
