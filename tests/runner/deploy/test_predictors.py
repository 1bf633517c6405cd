"""The engine decides which code answers."""

from __future__ import annotations

from pathlib import Path

from runner.deploy.exported import find_model
from runner.deploy.packed_predictor import PackedPredictor
from runner.deploy.predictor import Predictor
from runner.deploy.predictors import open_predictor
from tests.runner.deploy.runs import write_run


def test_a_model_is_opened_by_its_engine(output: Path, tmp_path: Path) -> None:
    write_run(tmp_path, "dddd", is_packed=True, family="dsn", readout={"name": "mean"}, positions=512)
    assert isinstance(open_predictor(find_model("dddd", tmp_path, "auto")), PackedPredictor)
    assert isinstance(open_predictor(find_model("dddd", tmp_path, "torch")), Predictor)
    assert isinstance(open_predictor(find_model("aaaa", output, "auto")), Predictor)
