"""Thresholds that follow from times and confidences, and the cascade with its answers to the selection rows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from runner.best.bundle import read_bundle, write_bundle
from runner.best.evidence import micros_of, over_caps
from runner.best.types import Budget
from runner.cascade import within_time
from runner.cascade.choose import sentences
from runner.cascade.graph import fastest_engine
from runner.cascade.rows import BothAnswers
from runner.cascade.within_time import choose_within_time, make_within_time
from runner.commands.cascade import main
from runner.deploy.cascade import open_cascade
from runner.deploy.exported import find_model
from runner.errors import ConfigError
from runner.record.folder import read_all_records, read_record
from runner.record.json_files import write_json
from runner.record.pooling import selection_answers
from tests.runner.cascade.runs import LARGE, SMALL, save, write_pair

# Ten rows whose confidences fall from 0.95 to 0.50; the small model is wrong on the last four, the large one nowhere.
CONFIDENCE = np.arange(95, 45, -5) / 100
ROWS = BothAnswers(
    "val", np.stack([CONFIDENCE, 1 - CONFIDENCE], 1), np.eye(2)[[0] * 6 + [1] * 4], np.array([0] * 6 + [1] * 4), "f"
)  # fmt: skip


@pytest.mark.parametrize(
    ("most", "answered"),
    [
        (500.0, 7),  # 0.9 x 500 = 450 us: 70 for the small one and both as one, and 380 of 1,000, so 62 % are its own
        (1000.0, 2),  # 830 of 1,000 us are left: 17 %
        (100.0, 10),  # 20 of 1,000 us: 98 %
    ],
)
def test_the_threshold_leaves_time_for_the_large_model(most: float, answered: int) -> None:
    found = choose_within_time(ROWS, 10.0, 1000.0, most).found
    assert found.answered == answered
    last, next_one = [*CONFIDENCE, 0.0][answered - 1 : answered + 1]
    assert found.threshold == pytest.approx((last + next_one) / 2), "rounding in the last digit decides for no row"
    assert 70 + (1 - found.answered / 10) * 1000 <= 0.9 * most


def test_the_threshold_does_not_depend_on_labels_and_the_promise_does() -> None:
    other = BothAnswers("val", ROWS.small, 1 - ROWS.large, 1 - ROWS.labels, "f")
    one, two = (choose_within_time(rows, 10.0, 1000.0, 500.0) for rows in (ROWS, other))
    assert one.found.threshold == two.found.threshold and one.found.bound != two.found.bound
    many = choose_within_time(ROWS, 10.0, 1000.0, 500.0, pairs=6)
    assert many.found.bound > one.found.bound and many.wanted.models == 6
    assert "this fails for at most 1 in 20" in sentences(one.facts)[0]


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ((500.0, 1000.0), "the small model takes 500 us, and a cascade 60 us more. Try: max_us=624"),
        ((1.0, 300.0), "the large model alone takes 300 us. Try: the large model alone"),
        ((100.0, 440.0), "the large model alone takes 440 us. Try: the large model alone"),  # a cascade aims at 450
    ],
)
def test_where_no_threshold_will_do_or_none_is_needed_it_is_said(times: tuple[float, float], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        choose_within_time(ROWS, *times, 500.0)


def test_two_runs_become_one_that_a_search_can_compare_and_deploy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output, cache = tmp_path / "outputs", tmp_path / "cache"
    write_pair(output, cache)
    record = json.loads((output / SMALL / "record.json").read_text(encoding="utf-8"))
    record["metrics"] |= {"speed/answer_us_p50": 20.0}
    save(output / SMALL, record)
    assert fastest_engine(LARGE, output) == "onnx"
    described = output / LARGE / "export" / "onnx" / "deploy.json"
    write_json(described, json.loads(described.read_text(encoding="utf-8")) | {"answer_us": 1000.0})
    monkeypatch.setattr(within_time, "SECONDS", 1)
    record, folder = make_within_time(SMALL, LARGE, 800.0, output, cache, pairs=3)
    assert (answers := selection_answers([[folder]])) and len(answers[0]) == record.data.rows["val"]
    assert record.data.selection == "val/accuracy"
    assert record.metrics["val/accuracy"] == pytest.approx(
        (answers[0].columns["label"] == answers[0].columns["prediction"]).mean()
    )
    assert micros_of(record) == record.metrics["cascade/answer_us"] > 0
    assert "over max_us=0.001" in str(over_caps(record, micros_of(record), Budget(max_us=0.001)))
    assert over_caps(record, micros_of(record), Budget(max_us=1e9, max_kb=1e6)) is None
    again, _ = make_within_time(SMALL, LARGE, 800.0, output, cache, pairs=3)
    assert again == read_record(folder), "it was found, and not timed again"

    said = [f"small={SMALL}", f"large={LARGE}", "max_us=800", "large_engine=onnx"]
    places = [f"paths.output={output}", f"paths.cache={cache}"]
    assert record.overrides == ["cascade", *said] and main([*said, "seconds=1", *places]) == 0
    thresholds = [one.metrics["cascade/threshold"] for one in read_all_records(output)[0] if one.config.get("cascade")]
    assert len(set(thresholds)) == 1, "the same from the command line"

    bundle = write_bundle(record, output, tmp_path / "bundle")
    assert bundle == read_bundle(tmp_path / "bundle", record.identity) and bundle.problem is None
    assert bundle.is_cascade and bundle.size == record.metrics["cost/bytes_deployed"]
    assert read_bundle(tmp_path / "bundle", "another") is None
    (answer,) = open_cascade(find_model(str(bundle.folder), output, "auto"))(["a good film"])
    assert answer["answered_by"] in ("small", "large")
    assert (tmp_path / "bundle" / "large" / "model.onnx").is_file(), "its large model needs no torch"


def test_runs_without_times_are_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(within_time, "fastest_engine", lambda *_: "auto")
    with pytest.raises(ConfigError, match="were not measured"):
        make_within_time(SMALL, LARGE, 500.0, place / "outputs", place / "cache")
