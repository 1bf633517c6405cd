"""A folder for the hub answers with `run predict` and names its labels in every config.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, BertForQuestionAnswering

from runner.deploy import graphs
from runner.deploy.exported import ExportedModel, find_model
from runner.deploy.hub.folder import write_hub_folder
from runner.deploy.parity import Parity
from runner.deploy.predictor import Predictor
from runner.deploy.predictors import open_predictor
from runner.errors import ConfigError
from runner.record.record import RunRecord
from tests.runner.deploy.runs import write_run
from tests.runner.deploy.span_runs import write_span_run

LABELS = {"0": "negative", "1": "positive"}


def test_an_encoder_becomes_a_folder_with_its_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_graph(trained: ExportedModel, exported: ExportedModel, record: RunRecord) -> Parity:
        exported.weights.write_bytes(b"graph")
        return Parity(64, "demo, test", 4e-8)

    monkeypatch.setattr(graphs, "write_graph", write_graph)  # tested with `format=onnx`
    record = RunRecord.from_json(write_run(tmp_path, "aaaa"))
    config = tmp_path / "aaaa" / "model" / "config.json"
    of_earlier_runs = {k: v for k, v in json.loads(config.read_text()).items() if k not in ("id2label", "label2id")}
    config.write_text(json.dumps(of_earlier_runs), encoding="utf-8")
    exported, (parity,) = write_hub_folder(record, tmp_path / "aaaa", None, engines=("onnx",), license="mit")
    assert parity.difference < 1e-4 and exported.folder == tmp_path / "aaaa" / "export" / "hub"
    configs = [json.loads(path.read_text()) for path in sorted(exported.folder.rglob("config.json"))]
    assert len(configs) == 2 and all(one["id2label"] == LABELS for one in configs)
    assert all(one["label2id"] == {"negative": 0, "positive": 1} for one in configs)
    assert (exported.folder / "onnx" / "model.onnx").read_bytes() == b"graph"
    header = ModelCard.load(exported.folder / "README.md").data.to_dict()
    assert header["license"] == "mit" and header["library_name"] == "transformers" and "onnx" in header["tags"]


def test_a_packed_model_answers_from_its_folder_without_torch(tmp_path: Path) -> None:
    record = RunRecord.from_json(write_run(tmp_path, "dddd", family="dsn", readout={"name": "mean"}, is_packed=True))
    _, parities = write_hub_folder(record, tmp_path / "dddd", tmp_path / "moved")
    assert not parities and (tmp_path / "moved" / "model.bin").is_file()
    found = find_model(str(tmp_path / "moved"), tmp_path, "auto")
    assert found.engine == "numpy" and open_predictor(found)(["a lovely film"])[0]["prediction"] in LABELS.values()
    assert "needs only NumPy" in (tmp_path / "moved" / "README.md").read_text(encoding="utf-8")


def test_a_licence_of_another_form_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    record = RunRecord.from_json(write_run(tmp_path, "aaaa"))
    with pytest.raises(ConfigError, match="license=My own: expected an id"):
        write_hub_folder(record, tmp_path / "aaaa", None, license="My own")
    assert not (tmp_path / "aaaa" / "export").exists()


def test_stock_transformers_reads_a_question_and_its_context_as_run_predict_does(tmp_path: Path) -> None:
    record = write_span_run(tmp_path, "ssss")
    exported, _ = write_hub_folder(record, tmp_path / "ssss", tmp_path / "hub")
    model = AutoModelForQuestionAnswering.from_pretrained(tmp_path / "hub").eval()
    assert type(model) is BertForQuestionAnswering and model.config.id2label == {0: "start", 1: "end"}
    row = "which day ?", "word2 of day 3"
    with torch.inference_mode():
        found = model(**AutoTokenizer.from_pretrained(tmp_path / "hub")(*row, return_tensors="pt"))
    predictor = Predictor(exported)
    wanted = predictor.logits(predictor.ask(*([text] for text in row)).split, 1)
    logits = torch.stack([found.start_logits[0], found.end_logits[0]], 1)
    torch.testing.assert_close(logits, torch.from_numpy(wanted), atol=1e-5, rtol=0)
    header = ModelCard.load(tmp_path / "hub" / "README.md").data.to_dict()
    assert header["pipeline_tag"] == "question-answering" and header["library_name"] == "transformers"
