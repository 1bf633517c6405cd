"""The warnings about a cascade, and the parts of its identity; its folder is tested in test_cascade.py of the verb."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runner.cascade.choose import Chosen, Wanted
from runner.cascade.evaluate import Evaluation
from runner.cascade.make import (
    Measuring,
    NewCascade,
    copy_cascade,
    find_or_make,
    other_rows,
    refuse_zip,
    times_of,
    warning,
)
from runner.cascade.pair import open_pair
from runner.cascade.rows import read_calibration_rows, read_reported_rows
from runner.cascade.timing import Times
from runner.errors import ConfigError
from runner.record.abandoned import held
from runner.record.calibration import CalibrationFacts
from runner.statistics.deferral import Deferral
from tests.runner.cascade.runs import LARGE, SMALL

AUTO = {"small": "auto", "large": "auto"}


@pytest.fixture
def wanted(place: Path) -> NewCascade:
    pair = open_pair({"small": SMALL, "large": LARGE}, place / "outputs", AUTO)
    rows, reported = read_calibration_rows(pair, "x", place / "cache"), read_reported_rows(pair, "x")
    return NewCascade(pair, Chosen(Wanted(0.05, "exact", 0.05), Deferral(0.6, 50, 1, 0, 100, 0.04), rows), reported, [])


def test_identity_is_of_models_threshold_and_rows_and_not_of_the_command(wanted: NewCascade) -> None:
    same = replace(wanted, words=["cascade", "threads=2"])
    other = replace(wanted, chosen=replace(wanted.chosen, wanted=Wanted(0.05, "none", 0.05)))
    swapped = replace(wanted, pair=replace(wanted.pair, small=wanted.pair.large, large=wanted.pair.small))
    assert len({one.identity() for one in (wanted, same)}) == 1
    assert len({one.identity() for one in (wanted, other, swapped)}) == 3


def test_identity_is_of_the_calibration_of_either_model(wanted: NewCascade) -> None:
    large, facts = wanted.pair.large, CalibrationFacts("vector", weights=[1.0, 2.0], shifts=[0.0, 0.5])
    other = replace(large, record=replace(large.record, calibration=facts))
    assert replace(wanted, pair=replace(wanted.pair, large=other)).identity() != wanted.identity()


def test_a_cascade_that_saves_no_time_is_told(wanted: NewCascade) -> None:
    ones = np.ones(10)
    slow = Times(3 * ones, 5 * ones, 6 * ones, ones == 0)
    assert warning(slow).startswith("slower than the large model alone") and "Try: a faster small=" in warning(slow)
    assert warning(Times(ones, 5 * ones, 2 * ones, ones == 1)) == warning(None) == ""
    no_faster = warning(Times(5 * ones, 5 * ones, 5.1 * ones, ones == 1))
    assert "the small one is no faster" in no_faster and "too few" not in no_faster
    assert (
        times_of(slow).items()
        >= {"cascade/formula_us_mean": 8.0, "speed/answer_us_mean": 6.0, "cascade/answer_us": 6.0}.items()
    )


@pytest.mark.parametrize(("share", "is_told"), [(0.5, False), (0.56, False), (0.9, True), (0.1, True)])
def test_reported_rows_that_are_unlike_the_calibration_rows_are_told(
    wanted: NewCascade, share: float, is_told: bool
) -> None:
    said = other_rows(wanted.chosen, Evaluation({"cascade/by_small": share}, {}, 116))
    assert ("the two differ" in said) is is_told


def test_a_cascade_whose_models_were_moved_is_made_again(wanted: NewCascade, place: Path, tmp_path: Path) -> None:
    def make() -> Path:
        return find_or_make(wanted, tmp_path, place / "cache", Measuring(0, 1), force=False)[1] / "cascade.json"

    path = make()
    written = path.stat().st_mtime_ns
    assert make().stat().st_mtime_ns == written, "it is found"
    facts = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(facts | {"small": facts["small"] | {"folder": "/gone"}}), encoding="utf-8")
    assert json.loads(make().read_text(encoding="utf-8")) == facts


def test_a_copy_replaces_no_other_folder(wanted: NewCascade, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not empty and not an export"):
        copy_cascade(tmp_path, (wanted.pair.small.model, wanted.pair.large.model), tmp_path)


def test_a_cascade_is_no_zip(tmp_path: Path) -> None:
    refuse_zip(tmp_path / "cascade")
    with pytest.raises(ConfigError, match=r"a cascade is written as a folder\. Try: out=.*/cascade$"):
        refuse_zip(tmp_path / "cascade.zip")


def test_the_same_command_in_a_second_terminal_waits_and_removes_nothing_of_the_first(
    wanted: NewCascade, place: Path, tmp_path: Path
) -> None:
    folder = tmp_path / wanted.identity()
    with held(folder):
        part = folder / "record.json.1.part"  # that the first is writing
        part.touch()
        arguments = (wanted, tmp_path, place / "cache", Measuring(0, 1))
        thread = threading.Thread(target=find_or_make, args=arguments, kwargs={"force": False})
        thread.start()
        thread.join(2.0)
        assert thread.is_alive() and part.exists()
    thread.join()
    assert (folder / "cascade.json").is_file()
