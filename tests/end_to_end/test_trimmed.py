"""Trimmed vocabularies in whole runs: in a chain, opened by stock transformers, and in exported folders."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer as Backend
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from data.inputs.tokenizer import PieceTokenizer, load_tokenizer, train_tokenizer
from data.inputs.trimmed import count_tokens, trim
from data.settings import DataSettings
from data.sources.demo_splits import read_demo
from models.checkpoints.open import load_model
from runner.deploy.bundle.encoder import pieces_of
from runner.deploy.bundles import add_graph_reader
from runner.deploy.exported import ExportedModel, model_of_run
from runner.deploy.graph_facts import graph_facts
from runner.deploy.predictor import Predictor
from runner.record.folder import read_all_records
from tests.conftest import run_cli
from tests.models.checkpoints.test_save import write
from tests.models.helpers import small


def checkpoint(folder: Path) -> None:
    """Save a small BERT with 400 tokens, of which the demo's first rows need only a part."""
    texts = [text for columns, _ in read_demo(DataSettings(demo_rows=2000), "auto").splits["train"].chunks()
             for text in columns["text"]]  # fmt: skip
    tokenizer = train_tokenizer(texts, 400)
    write(small(vocab_size=tokenizer.vocab_size, layers=1, readout={"name": "mean"}), folder)
    tokenizer.save(folder)


def test_a_trimmed_model_is_compressed_opened_and_asked(tmp_path: Path) -> None:
    checkpoint(tmp_path / "encoder")
    words = ["model=auto", "model/readout=mean", "model.pretrained=encoder", "data=demo", "data.max_rows=60"]
    words += ["data.max_length=24", "train.epochs=1", "measure=off", "tracker=none", "model.vocabulary=task"]
    done = run_cli(*words, "compression=[int8]", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "texts are split as before" in done.stdout + done.stderr
    record = max(read_all_records(tmp_path / "outputs")[0], key=lambda found: len(found.stages))
    folder = tmp_path / "outputs" / record.identity / "model"
    model, full = load_model(folder), load_tokenizer(str(tmp_path / "encoder"))
    assert model.architecture["vocab_size"] == record.tokenizer.vocab_size < full.vocab_size
    assert (model.architecture["max_position_embeddings"], model.architecture["type_vocab_size"]) == (24, 1)
    texts = list(read_demo(DataSettings(demo_rows=2000), "auto").splits["test"].texts())[:3]
    stock, tokens = AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    inputs = tokens(texts, return_tensors="pt", padding=True, truncation=True)
    with torch.no_grad():
        logits = stock.eval()(inputs["input_ids"], inputs["attention_mask"]).logits
    ours = Predictor(model_of_run(record, tmp_path / "outputs" / record.identity))
    torch.testing.assert_close(torch.from_numpy(ours.logits(ours.ask(texts).split, 3)), logits, atol=1e-5, rtol=0)


def trimmed_at(folder: Path) -> tuple[PieceTokenizer, ExportedModel]:
    """A trimmed tokenizer saved in a folder, and the description of an exported graph in that folder."""
    full = train_tokenizer(["good film", "bad film"] * 9, 80)
    encoded = full.encode(["good film"], None, 16)
    small = trim(full, count_tokens(encoded.tokens, full.vocab_size), "task")
    small.save(folder)
    return small, ExportedModel(folder, "onnx", "0" * 10, "x", "classification", ("a", "b"), ("text",), 16, "")


def test_a_bundle_of_a_graph_keeps_a_vocabulary_of_a_piece_a_line(tmp_path: Path) -> None:
    small, exported = trimmed_at(tmp_path)
    add_graph_reader(tmp_path, exported, exported)
    assert not (tmp_path / "tokenizer.json").exists()
    wanted = small.encode(["good bad film"], None, 16).tokens.tolist()
    facts = json.loads((tmp_path / "model.json").read_text())
    assert pieces_of(tmp_path, facts["pieces"]).row("good bad film", None, 16)[0] == wanted
    assert load_tokenizer(str(tmp_path)).encode(["good bad film"], None, 16).tokens.tolist() == wanted


def test_readers_that_open_no_vocabulary_of_lines_get_a_tokenizer_json(tmp_path: Path) -> None:
    small, exported = trimmed_at(tmp_path)
    graph_facts(tmp_path, exported, "page")
    assert not (tmp_path / "vocab.txt").exists()
    found = Backend.from_file(str(tmp_path / "tokenizer.json"))
    assert found.encode("good film").ids == small.backend.encode("good film").ids
