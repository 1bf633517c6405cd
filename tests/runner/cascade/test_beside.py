"""A cascade beside other ways to save time: the same texts in turns, read at one mean time."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from runner.cascade.beside import (
    CASCADE_NAME,
    LARGE_NAME,
    cascade_curve,
    cascade_point,
    compare_ways,
    open_ways,
    show_beside,
    write_curves,
)
from runner.cascade.choose import Chosen, Wanted
from runner.cascade.equal_time import score_at
from runner.cascade.make import Measuring, NewCascade
from runner.cascade.pair import open_pair
from runner.cascade.rows import read_calibration_rows, read_reported_rows
from runner.deploy.exported import find_model, read_export
from runner.deploy.graphs import write_exported_model
from runner.deploy.rejecting import open_answering
from runner.errors import ConfigError
from runner.record.folder import find_record
from runner.statistics.deferral import Deferral
from tests.runner.cascade.runs import LARGE, SMALL
from tests.runner.deploy.runs import write_run

AUTO = {"small": "auto", "large": "auto"}


def test_points_of_a_cascade_from_the_times_and_answers_of_both_models() -> None:
    times = np.array([[100.0, 2000.0], [100.0, 4000.0]])
    is_right = np.array([[True, True], [False, True]])
    assert vars(cascade_point(np.array([True, False]), is_right, times)) == {"ms": 2.1, "score": 1.0}
    assert vars(cascade_point(np.array([True, True]), is_right, times)) == {"ms": 0.1, "score": 0.5}
    curve = cascade_curve(np.array([0.9, 0.6]), is_right, times)
    assert len(curve) == 11 and (curve[0].ms, curve[-1].ms) == (0.1, 2.1), "from all texts to the surest"


def test_other_models_are_read_at_the_mean_time_of_the_cascade(place: Path, tmp_path: Path) -> None:
    output = place / "outputs"
    pair = open_pair({"small": SMALL, "large": LARGE}, output, AUTO)
    rows, reported = read_calibration_rows(pair, "x", place / "cache"), read_reported_rows(pair, "x")
    threshold = float(np.median(reported.confidence))
    wanted = NewCascade(
        pair, Chosen(Wanted(0.05, "none", 0.05), Deferral(threshold, 0, 0, 0, 1, 0), rows), reported, []
    )
    ways = open_ways([f"{SMALL},{output / LARGE}", LARGE], output, pair.large.model)
    found = compare_ways(wanted, ways, place / "cache", Measuring(0.2, 1))
    assert set(found.curves) == {CASCADE_NAME, LARGE_NAME, f"{SMALL},{output / LARGE}", LARGE}
    small, large = found.curves[f"{SMALL},{output / LARGE}"]
    assert small.ms < large.ms and large.score == found.curves[LARGE_NAME][0].score
    scores = {way.name: way.score for way in found.found}
    assert scores[CASCADE_NAME] == found.curves[CASCADE_NAME][0].score
    for name in (LARGE, f"{SMALL},{output / LARGE}"):
        assert scores[name] == score_at(found.curves[name], found.ms)
    with write_curves(tmp_path, found).open(encoding="utf-8") as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == 12 + 1 + 2 + 1 and {"way", "ms", "accuracy", "texts"} == set(lines[0])
    stream = io.StringIO()
    show_beside(found, Console(file=stream, width=80, force_terminal=True, color_system=None))
    assert CASCADE_NAME in stream.getvalue() and f"same {found.texts} texts" in stream.getvalue()


def test_an_export_that_answers_unsure_is_scored_by_its_most_probable_labels(place: Path, tmp_path: Path) -> None:
    output, cache = place / "outputs", place / "cache"
    promise = {"alpha": 0.05, "delta": 0.05, "threshold": 2.0, "answered": 0, "errors": 0, "rows": 9, "split": "val"}
    record = find_record(output, LARGE)
    write_exported_model(find_model(LARGE, output, "torch"), "torch", tmp_path, record, promise)
    assert open_answering(read_export(tmp_path))(["a fine film"])[0]["prediction"] == "unsure"
    pair = open_pair({"small": SMALL, "large": LARGE}, output, AUTO)
    rows, reported = read_calibration_rows(pair, "x", cache), read_reported_rows(pair, "x")
    chosen = Chosen(Wanted(0.05, "none", 0.05), Deferral(0.9, 0, 0, 0, 1, 0), rows)
    ways = open_ways([str(tmp_path)], output, pair.large.model)
    found = compare_ways(NewCascade(pair, chosen, reported, []), ways, cache, Measuring(0.1, 1))
    assert found.curves[str(tmp_path)][0].score == found.curves[LARGE_NAME][0].score > 0


def test_models_with_other_labels_are_refused(place: Path, tmp_path: Path) -> None:
    pair = open_pair({"small": SMALL, "large": LARGE}, place / "outputs", AUTO)
    write_run(tmp_path, "bbbb", data="demo-pairs")
    with pytest.raises(ConfigError, match="has other labels or reads other texts than aaaa"):
        open_ways([f"{SMALL},{tmp_path / 'bbbb'}"], place / "outputs", pair.large.model)
    with pytest.raises(ConfigError, match="beside=: names no model"):
        open_ways([""], place / "outputs", pair.large.model)
