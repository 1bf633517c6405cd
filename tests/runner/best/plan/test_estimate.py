from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from data.load import Rows
from data.stores.build_once import SharedCache
from runner.best.plan import estimate
from runner.best.plan.draft import Draft, Drawer
from runner.best.plan.estimate import START_S, TIMING_S, Estimator
from runner.best.plan.rates import REFERENCE, Rates
from runner.best.types import Facts
from tests.runner.best.conftest import DEMO, settings_of

FACTS = Facts(rows=400, classes=2, train_rows=400, select_rows=100, report_rows=100)
DRAFT = Draft(bytes=5000, macs=1_000_000, params=40_000, tokens=20.0, width=32)
DSN = ("model=dsn", "train.threads=1")


class Counting(Drawer):
    drawn = 0

    def draft(self, settings: object, folder: Path) -> Draft:
        self.drawn += 1
        return DRAFT


def estimator(
    rows: Rows, cache: SharedCache, rates: Rates = REFERENCE, machine: str | None = None, most: float | None = None
) -> Estimator:
    return Estimator(Counting(rows, cache), DEMO, settings_of(*DEMO), FACTS, rates, machine, most)


def test_bytes_and_times_are_kept_for_the_next_plan(
    demo_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times, cache = [{"numpy": 10.0}, {"numpy": 20.0}], SharedCache(tmp_path)
    monkeypatch.setattr(estimate, "time_twin", lambda *_: times.pop(0))
    first = estimator(demo_rows, cache)
    assert first.estimate(DSN, "embedding", 0).micros is None
    assert first.estimate(DSN, "embedding", 0).bytes == 5000 and first.drawer.drawn == 1  # type: ignore[attr-defined]
    here, there = (estimator(demo_rows, cache, machine=machine) for machine in ("here", "there"))
    assert here.estimate(DSN, "embedding", 0).micros == here.estimate(DSN, "embedding", 0).micros == 10.0
    assert there.estimate(DSN, "embedding", 0).micros == 20.0 and not times
    untimed = first.estimate(DSN, "embedding", 0).seconds
    assert here.estimate(DSN, "embedding", 0).seconds == pytest.approx(untimed + TIMING_S)
    assert estimator(demo_rows, cache).estimate((*DSN, "model.width=0.5"), "embedding", 0).bytes == 5000


def test_an_encoder_is_timed_again_only_for_a_cap_that_its_float32_graph_is_over(
    demo_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[float | None]()

    def time_twin(_folder: Path, _settings: object, _rows: Rows, most: float) -> dict[str, float]:
        asked.append(most)
        return {"onnx": 800.04} | ({"onnx-int8": 300.0} if most < 800 else {})

    monkeypatch.setattr(estimate, "time_twin", time_twin)
    for most, micros, engine, times in (
        (1000.0, 800.0, "onnx", [1000.0]), (900.0, 800.0, "onnx", [1000.0]),
        (500.0, 300.0, "onnx-int8", [1000.0, 500.0]),
        (200.0, 300.0, "onnx-int8", [1000.0, 500.0]), (1000.0, 800.0, "onnx", [1000.0, 500.0]),
    ):  # fmt: skip
        found = estimator(demo_rows, SharedCache(tmp_path), machine="here", most=most).estimate(DSN, "dense", 0)
        assert (found.micros, found.engine, asked) == (micros, engine, times)


def test_a_model_over_the_cap_on_bytes_is_not_timed(
    demo_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "time_twin", lambda *_: {"numpy": 10.0})
    monkeypatch.setattr(estimate, "bundle_bytes", lambda *_, **__: None)
    found = estimator(demo_rows, SharedCache(tmp_path), machine="here")
    for most_bytes, micros in ((4999.0, None), (5000.0, 10.0)):
        found.most_bytes = most_bytes
        assert found.estimate(DSN, "embedding", 0).micros == micros


def test_the_bundle_of_an_encoder_is_counted_where_it_decides_and_once(
    demo_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = list[bool]()

    def bundle_bytes(_twin: object, *, int8: bool) -> int:
        counted.append(int8)
        return 5600 if int8 else 5400

    monkeypatch.setattr(estimate, "bundle_bytes", bundle_bytes)
    monkeypatch.setattr(estimate, "time_twin", lambda *_: {"onnx": 800.0, "onnx-int8": 300.0})
    found = estimator(demo_rows, SharedCache(tmp_path))
    for most_bytes, size, forms in (
        (math.inf, 5000, []), (4900.0, 5000, []), (60_000.0, 5000, []),
        (5300.0, 5400, [False]), (50_000.0, 5400, [False]),
    ):  # fmt: skip
        found.most_bytes = most_bytes
        made = found.estimate(DSN, "dense", 0)
        assert (made.bytes, made.least, made.has_bundle, counted) == (size, size, bool(forms), forms), most_bytes
    fast = estimator(demo_rows, SharedCache(tmp_path), machine="here", most=500.0)
    fast.most_bytes = 5300.0
    assert fast.estimate(DSN, "dense", 0).bytes == 5600 and counted == [False, True], "the form that is delivered"


def test_encoders_that_differ_in_their_bits_alone_are_timed_once(
    demo_rows: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = [{"onnx": 800.0}, {"onnx": 900.0}, {"onnx": 700.0}]
    monkeypatch.setattr(estimate, "time_twin", lambda *_: times.pop(0))
    found = estimator(demo_rows, SharedCache(tmp_path), machine="here")

    def micros(stages: str) -> float | None:
        return found.estimate(("model=bert-tiny", f"compression=[{stages}]"), "dense", 0).micros

    assert micros("int8") == micros("int4") == micros("pq") == 800.0
    assert micros("int8_dynamic") == 900.0, "its layers multiply integers"
    assert micros("int8,exits") == 700.0, "texts leave earlier"


def test_a_model_far_below_its_cap_is_known_for_other_caps(demo_rows: Rows, tmp_path: Path) -> None:
    found = estimator(demo_rows, SharedCache(tmp_path))
    for cap, drawn in (("100", 1), ("90", 1), ("6", 1), ("5", 2), ("5", 2), ("100", 2)):
        found.estimate(("model=ngram", f"model.max_kb={cap}"), "sparse", 8.0)
        assert found.drawer.drawn == drawn, cap  # type: ignore[attr-defined]


@pytest.mark.parametrize(("work", "passes"), [("sparse", 8.0), ("embedding", 0.0), ("dense", 0.0), ("dense", 2.0)])
def test_time_grows_with_the_work_and_falls_with_the_rate(
    work: str, passes: float, demo_rows: Rows, tmp_path: Path
) -> None:
    cache = SharedCache(tmp_path)
    seconds = estimator(demo_rows, cache).estimate(DSN, work, passes).seconds
    slow = estimator(demo_rows, cache, Rates(*(rate / 1e4 for rate in vars(REFERENCE).values())))
    assert START_S <= seconds < slow.estimate(DSN, work, passes).seconds
    slow.facts = replace(FACTS, train_rows=800)
    slow.drawer = Counting(demo_rows, cache)
    assert slow.estimate(DSN, work, passes).seconds >= estimator(demo_rows, cache).estimate(DSN, work, passes).seconds
