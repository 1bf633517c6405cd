"""The files of a bundle's reader are counted; a whole bundle is in tests/runner/best/plan/test_draft.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import ModelError
from runner.deploy import reader_files
from runner.deploy.exported import find_model
from runner.deploy.reader_files import bundle_bytes
from tests.runner.deploy.runs import write_run


def test_graph_tokenizer_facts_and_calibration_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_files, "write_onnx", lambda _model, path: path.write_bytes(bytes(1000)))
    monkeypatch.setattr(reader_files, "quantize_graph", lambda _plain, path, _model: path.write_bytes(bytes(300)))
    write_run(tmp_path, "ffff")
    trained = find_model("ffff", tmp_path, "torch")
    plain = bundle_bytes(trained, int8=False)
    others = sum(path.stat().st_size for path in trained.folder.glob("*token*.json"))
    assert plain is not None and 1000 + others < plain < 1000 + others + 500
    assert bundle_bytes(trained, int8=True) == plain - 700
    (trained.folder / "calibration.json").write_bytes(bytes(77))
    assert bundle_bytes(trained, int8=False) == plain + 77


def test_a_model_without_a_graph_has_no_bundle_to_count(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ModelError("it has no graph")

    monkeypatch.setattr(reader_files, "write_onnx", refuse)
    assert bundle_bytes(find_model("aaaa", output, "torch"), int8=False) is None
    write_run(tmp_path, "dddd", is_packed=True, family="dsn", readout={"name": "mean"})
    assert bundle_bytes(find_model("dddd", tmp_path, "torch"), int8=False) is None
