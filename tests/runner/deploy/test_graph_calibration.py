"""The calibration of a graph: the model's own in fp32, fitted again in 8 bits, left out where the rows are gone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from data.calibration import OUT_OF_FOLD
from data.splits import TokenSplit
from runner.deploy.bundle.calibration import read_calibration
from runner.deploy.calibrations import SIZE, write_calibration
from runner.deploy.exported import find_model
from runner.deploy.graph_calibration import BY_FOLDS, LOST, carry_calibration, refit
from runner.deploy.parity import RowsToCompare, rows_to_compare
from runner.deploy.predictor import Predictor
from runner.record.calibration import TEMPERATURE, CalibrationFacts
from runner.record.record import RunRecord
from tests.runner.deploy.runs import write_run

FACTS = CalibrationFacts(TEMPERATURE, 2.5, split="val", rows=500)
SHOWN = {"ece": 0.01, "ece_floor_95": 0.02}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunRecord, Path]:
    """A run of a small network on 1,200 rows of built-in texts, calibrated."""
    output = tmp_path_factory.mktemp("outputs")
    content = write_run(output, "ffff", family="dsn", readout={"name": "mean"})
    content["config"]["data"]["demo_rows"] = 1200
    folder = output / "ffff"
    kept = write_calibration([folder / "model" / "model.safetensors"], FACTS, SHOWN, SIZE)
    content["calibration"] = {"method": kept.method, "temperature": kept.temperature, "of": kept.of}
    (folder / "record.json").write_text(json.dumps(content, default=str), encoding="utf-8")
    return RunRecord.from_json(content), folder


@pytest.mark.parametrize(("engine", "temperature"), [("onnx", 2.5), ("onnx-int8", 3.0)])
def test_a_graph_in_fp32_has_the_calibration_of_its_model_and_one_in_8_bits_its_own(
    run: tuple[RunRecord, Path], tmp_path: Path, engine: str, temperature: float
) -> None:
    record, folder = run
    trained = find_model(str(folder), folder.parent, "torch")
    exported = replace(trained, folder=tmp_path, engine=engine)
    exported.weights.write_bytes(b"a graph")
    graph = SimpleNamespace(exported=exported, logits=lambda split, _: sharp(split))
    carry_calibration(record, trained, graph, rows_to_compare(record, Predictor(trained)))  # type: ignore[arg-type]
    found = read_calibration(exported.weights)
    assert found.is_calibrated and found.temperature == pytest.approx(temperature, rel=0.3) and "ece" in found.facts
    exported.weights.write_bytes(b"another")
    assert "was made for other weights than model.onnx" in read_calibration(exported.weights).problem


def fake(logits: Any) -> Any:
    """A graph with these logits for a split."""
    return SimpleNamespace(logits=lambda split, _: logits(split))


def sharp(split: TokenSplit) -> np.ndarray:
    """Logits of two classes, three times too sharp."""
    labels, random = np.asarray(split.labels.values), np.random.default_rng(0)
    margin = random.exponential(1.2, len(labels))
    is_right = random.random(len(labels)) < 1 / (1 + np.exp(-margin))
    signs = np.where(is_right == (labels == 1), 1.0, -1.0)
    return np.stack([np.zeros(len(labels)), 3 * margin * signs], 1)


def test_in_8_bits_the_temperature_is_that_of_the_graphs_own_logits(run: tuple[RunRecord, Path]) -> None:
    record, folder = run
    rows = rows_to_compare(record, Predictor(find_model(str(folder), folder.parent, "torch")))
    assert rows.calibration is not None and rows.calibration.name == "val" != rows.split.name
    found, scores = refit(FACTS, record, fake(sharp), rows)
    assert found.is_calibrated and found.temperature == pytest.approx(3, rel=0.3)
    assert found.rows == len(rows.calibration)
    assert scores.keys() == SHOWN.keys()


def test_in_8_bits_a_run_that_folds_calibrated_has_no_rows_left(run: tuple[RunRecord, Path], tmp_path: Path) -> None:
    record, folder = run
    assert record.calibration is not None
    facts, data = replace(record.calibration, folds=["a"]), replace(record.data, calibration=OUT_OF_FOLD)
    trained = find_model(str(folder), folder.parent, "torch")
    exported = replace(trained, folder=tmp_path, engine="onnx-int8")
    exported.weights.write_bytes(b"a graph")
    graph: Any = SimpleNamespace(exported=exported, logits=lambda split, _: sharp(split))
    record = replace(record, calibration=facts, data=data)
    carry_calibration(record, trained, graph, rows_to_compare(record, Predictor(trained)))
    found = read_calibration(exported.weights)
    assert not found.is_calibrated and found.facts["reason"] == BY_FOLDS


def test_without_the_rows_nothing_is_calibrated_and_it_is_said(run: tuple[RunRecord, Path]) -> None:
    record, folder = run
    rows = rows_to_compare(record, Predictor(find_model(str(folder), folder.parent, "torch")))
    found, scores = refit(FACTS, record, fake(sharp), RowsToCompare(rows.split, "built-in texts"))
    assert not found.is_calibrated and found.reason == LOST and not scores
