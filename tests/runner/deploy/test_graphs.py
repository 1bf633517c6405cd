"""An export describes its weights, and a graph that differs from the model by more than rounding is refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from torch import nn

from models.errors import ModelError
from runner.deploy import graphs
from runner.deploy.exported import ParityError, find_model
from runner.deploy.graphs import write_exported_model
from runner.deploy.parity import Parity, RowsToCompare
from runner.record.folder import find_record
from runner.record.record import StageEntry


def test_the_weights_of_a_run_are_copied_and_described(output: Path, tmp_path: Path) -> None:
    trained = find_model("aaaa", output, "torch")
    assert write_exported_model(trained, "torch", tmp_path / "new", find_record(output, "aaaa")) is None
    assert (tmp_path / "new" / "model.safetensors").read_bytes() == trained.weights.read_bytes()
    assert json.loads((tmp_path / "new" / "deploy.json").read_text())["engine"] == "torch"


@pytest.mark.parametrize(("difference", "is_kept"), [(1e-6, True), (0.01, False), (math.nan, False)])
def test_a_graph_is_kept_only_where_its_logits_are_the_models(
    difference: float, is_kept: bool, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "write_onnx", lambda model, path: path.write_bytes(b"graph"))
    monkeypatch.setattr(graphs, "compare_logits", lambda *_: Parity(64, "demo, test", difference))
    monkeypatch.setattr(graphs, "Predictor", lambda exported: type("Opened", (), {"model": nn.Identity()}))
    monkeypatch.setattr(graphs, "rows_to_compare", lambda record, model: RowsToCompare(cast(Any, None), "demo, test"))
    trained, record = find_model("aaaa", output, "torch"), find_record(output, "aaaa")
    if is_kept:
        parity = write_exported_model(trained, "onnx", tmp_path / "new", record)
        described = json.loads((tmp_path / "new" / "deploy.json").read_text())
        assert parity and described["engine"] == "onnx" and described["checked"]["rows"] == 64
        assert (tmp_path / "new" / "tokenizer.json").is_file()
    else:
        message = "are not numbers" if math.isnan(difference) else r"from the model's by up to 0\.01"
        with pytest.raises(ParityError, match=message + r".* 64 rows .* Nothing was written"):
            write_exported_model(trained, "onnx", tmp_path / "new", record)


def test_what_has_no_graph_is_offered_in_another_form_and_the_run_before_it_where_there_is_one(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(model: nn.Module, path: Path) -> None:
        raise ModelError("it has no graph")

    monkeypatch.setattr(graphs, "write_onnx", refused)
    trained, record = find_model("aaaa", output, "torch"), find_record(output, "aaaa")
    with pytest.raises(ModelError, match=r"it has no graph\. Try: format=safetensors$"):
        write_exported_model(trained, "onnx", tmp_path / "new", record)
    chain = [StageEntry("train", {}, "aaab"), StageEntry("int8_dynamic", {}, "aaaa")]
    with pytest.raises(ModelError, match=r"Try: format=safetensors, or export aaab, the run before$"):
        write_exported_model(trained, "onnx", tmp_path / "new", replace(record, stages=chain))
