from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from safetensors.torch import save_model
from torch import nn

from data.splits import TokenSplit
from models.build import build
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.measure.inputs import Cell, Inputs
from runner.measure.latency import CellTimes, LatencyReport, MakeBatch
from runner.measure.measure import count_costs, measure_model, time_model
from runner.measure.settings import MeasureSettings
from runner.record.metrics import check
from tests.data.helpers import split_of

QUICK = MeasureSettings(batch_sizes=[1, 4], lengths=[16], min_time_s=0.003, rounds=3)


@pytest.fixture
def split() -> TokenSplit:
    """60 rows of 4 to 33 tokens, mean 18.5."""
    random = np.random.default_rng(0)
    lengths = np.repeat(np.arange(4, 34), 2)
    return split_of([random.integers(1, 300, size=length) for length in lengths], name="val")


def make(family: str) -> nn.Module:
    readout = {"name": "mean" if family == "dsn" else "cls"}
    settings = ModelSettings(family=family, readout=readout, hidden=32, heads=2, layers=1)
    return build(settings, head=HeadSpec(outputs=2), vocab_size=300)[0]


def quiet(line: str) -> None:
    """Tiny cells on a shared machine may be noisy; that is not what is tested here."""


def test_every_metric_is_in_the_list_and_every_cell_is_there(split: TokenSplit) -> None:
    got = measure_model(make("dsn"), split, QUICK, baseline=make("bert"), warn=quiet)
    assert all(check(name) for name in got)
    cells = {name.removeprefix("speed/speedup_") for name in got if "speedup" in name}
    assert cells == {"b1_s16", "b4_s16", "b1_data", "b4_data"}
    assert got["speed/speedup_b4_s16"] > 1, "a bag of words is faster than attention"
    assert got["speed/latency_ms_p50_b1_s16"] <= got["speed/latency_ms_p99_b1_s16"]


def test_a_cells_metrics_are_those_of_its_samples(split: TokenSplit, monkeypatch: pytest.MonkeyPatch) -> None:
    cell, batch, turn = Cell(4, 16), np.zeros(99, int), np.arange(99) % 3

    def times(factor: float) -> dict[Cell, CellTimes]:
        wall = np.arange(1.0, 100.0) * factor
        return {cell: CellTimes(cell, wall, 2 * wall, batch, turn, np.array([4]))}

    report = LatencyReport({"model": times(1.0), "baseline": times(3.0), "unique": times(5.0)}, 2, 0.5, 0.75)
    monkeypatch.setattr("runner.measure.measure.measure_latency", lambda *_, **__: report)
    assert time_model(make("dsn"), split, QUICK, warn=quiet) == {
        "speed/threads": 2, "speed/load_before": 0.5, "speed/load_after": 0.75,
        "speed/latency_ms_p50_b4_s16": 50.0, "speed/latency_ms_p90_b4_s16": 90.0, "speed/latency_ms_p99_b4_s16": 99.0,
        "speed/cpu_ms_b4_s16": 100.0, "speed/samples_b4_s16": 99, "speed/noise_b4_s16": pytest.approx(90 / 50),
        "speed/examples_per_s_b4_s16": pytest.approx(4000 / 50), "speed/baseline_ms_p50_b4_s16": 150.0,
        "speed/speedup_b4_s16": pytest.approx(3.0), "speed/unique_ms_p50_b4_s16": 250.0,
    }  # fmt: skip


def test_every_round_has_inputs_of_its_own_and_all_models_the_same(
    split: TokenSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = dict[Cell, list[Inputs]]()

    def note(models: object, cells: list[Cell], *, make_batch: MakeBatch, **_: object) -> LatencyReport:
        asked.update({cell: list(make_batch(cell)) for cell in cells})
        return LatencyReport({"model": {}}, 1, None, None)

    monkeypatch.setattr("runner.measure.measure.measure_latency", note)
    time_model(make("dsn"), split, QUICK, warn=quiet)
    drawn = [batch["input_ids"] for batch in asked[Cell(4, 16)]]
    assert [ids.shape for ids in drawn if ids is not None] == [(4, 16)] * QUICK.rounds
    assert len({str(ids) for ids in drawn}) == QUICK.rounds
    assert set(asked) == {Cell(rows, length) for rows in (1, 4) for length in (16, None)}


def test_graphs_are_timed_in_the_same_cells_and_their_files_weighed(split: TokenSplit) -> None:
    settings = MeasureSettings(batch_sizes=[1], lengths=[16], min_time_s=0.003, rounds=3, onnx=True)
    got = measure_model(make("dsn"), split, settings, warn=quiet)
    assert all(check(name) for name in got)
    for graph in ("onnx", "onnx_int8"):
        assert got[f"speed/{graph}_ms_p50_b1_s16"] > 0 and got[f"speed/{graph}_ms_p50_b1_data"] > 0
    assert got["cost/bytes_onnx"] > got["cost/bytes_packed"] > got["cost/bytes_onnx_int8"]


def test_without_a_reference_model_there_is_no_speed_up(split: TokenSplit) -> None:
    got = measure_model(make("dsn"), split, QUICK, warn=quiet)
    assert not [name for name in got if "speedup" in name or "baseline" in name]
    assert "speed/latency_ms_p50_b1_data" in got


def test_costs_are_counted_even_if_timing_is_off(split: TokenSplit, tmp_path: Path) -> None:
    model = make("dsn")
    save_model(model, str(tmp_path / "model.safetensors"))
    got = measure_model(model, split, MeasureSettings(enabled=False), model_folder=tmp_path)
    assert not [name for name in got if name.startswith("speed/") or "peak" in name]
    assert got["cost/params"] == (300 + 512 + 2 + 2) * 32 + 2 * 32 + 2
    assert got["cost/bytes_packed"] == 4 * got["cost/params"]
    assert got["cost/bytes_deployed"] == got["cost/bytes_file"], "nothing else lies there"
    assert got["cost/bytes_file"] == (tmp_path / "model.safetensors").stat().st_size
    assert got["cost/macs"] == 18 * 32 + 64, "the mean length, 18.5, rounds to even"
    assert got["cost/macs_s128"] == 128 * 32 + 64


def test_lengths_the_model_cannot_take_are_left_out_and_said(split: TokenSplit) -> None:
    said: list[str] = []
    settings = MeasureSettings(batch_sizes=[1], lengths=[16, 600], min_time_s=0.003, rounds=3)
    got = measure_model(make("dsn"), split, settings, positions=64, warn=said.append)
    assert "speed/latency_ms_p50_b1_s16" in got and "speed/latency_ms_p50_b1_s600" not in got
    assert "cost/macs_s128" not in got
    assert any("600" in line and "64 positions" in line for line in said)


@pytest.mark.parametrize(("positions", "is_counted"), [(127, False), (128, True), (None, True)])
def test_work_at_the_usual_length_is_counted_where_the_model_takes_it(
    split: TokenSplit, positions: int | None, is_counted: bool
) -> None:
    assert ("cost/macs_s128" in count_costs(make("dsn"), split, positions=positions)) is is_counted


def test_settings_are_a_schema_hydra_accepts() -> None:
    schema = OmegaConf.structured(MeasureSettings)
    merged = OmegaConf.merge(schema, {"baseline": None, "lengths": [32, 512]})
    assert OmegaConf.to_object(merged) == MeasureSettings(baseline=None, lengths=[32, 512])


def test_the_choices_of_the_group_say_what_their_names_say() -> None:
    folder = Path(__file__).parents[3] / "conf" / "measure"
    schema = OmegaConf.structured(MeasureSettings)
    chosen = {
        path.stem: OmegaConf.to_object(OmegaConf.merge(schema, OmegaConf.load(path))) for path in folder.glob("*.yaml")
    }
    assert chosen["default"] == MeasureSettings()
    assert not chosen["off"].enabled and chosen["quick"].enabled  # type: ignore[union-attr]
    assert chosen["quick"].min_time_s < chosen["default"].min_time_s  # type: ignore[union-attr]


@pytest.mark.parametrize(("onnx", "expected"), [(False, 2), (True, 1)])
def test_the_peak_of_memory_is_read_after_the_timing_but_before_graphs_are_made(
    split: TokenSplit, monkeypatch: pytest.MonkeyPatch, onnx: bool, expected: int
) -> None:
    timed: list[int] = []
    monkeypatch.setattr("runner.measure.measure.time_model", lambda *_, **__: timed.append(1) or {})
    monkeypatch.setattr("runner.measure.measure.peak_resident_bytes", lambda: 1 + len(timed))
    assert measure_model(make("dsn"), split, replace(QUICK, onnx=onnx))["cost/bytes_peak_memory"] == expected
