"""A run's word vectors as other programs open them: equal there, or refused, and whole or not at all."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer as Backend

from data.inputs.tokenizer import load_tokenizer, wrap_backend
from runner.commands.export import main
from runner.deploy import vectors
from runner.deploy.exported import ParityError, find_model
from runner.deploy.predictor import Predictor
from runner.deploy.vectors import HEAD, write_vectors
from runner.errors import ConfigError
from runner.record.folder import find_record
from tests.runner.deploy.runs import write_run

STATIC: dict[str, Any] = {"family": "dsn", "positional": False, "norm": "none", "readout": {"name": "mean"}}
TEXTS = ["a fine film", "the zebra \u4e2d slept \u4e2d"]


def rewritten(folder: Path, bare: dict[str, bool] | None) -> None:
    """Give a run's model a tokenizer without special tokens; bare: its entry."""
    found = load_tokenizer(str(folder))
    wrap_backend(found.backend, "train", found.names, bare).save(folder)  # type: ignore[attr-defined]


def logits(output: Path, identity: str) -> np.ndarray:
    """The answers of a run's own model to the texts."""
    predictor = Predictor(find_model(identity, output, "torch"))
    return predictor.logits(predictor.ask(TEXTS).split, 1)


@pytest.fixture(scope="module")
def static_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs that drop unknown tokens, keep them, compare pairs, read special tokens, and add vectors of places."""
    output = tmp_path_factory.mktemp("static")
    pair = {"name": "pair", "norm": "layer", "size": None, "dropout": 0.1}
    for identity, data, drops, changes in (
        ("aaaa", "demo", True, {}), ("bbbb", "demo", False, {}), ("cccc", "demo-pairs", True, {"readout": pair}),
        ("dddd", "demo", None, {}), ("eeee", "demo", True, {"positional": True}),
    ):  # fmt: skip
        write_run(output, identity, data=data, **(STATIC | changes))
        if drops is not None:
            rewritten(output / identity / "model", {"drops_unknown": drops})
    return output


def test_model2vec_gives_the_vectors_and_the_last_layer_the_answers(
    static_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = pytest.importorskip("model2vec").StaticModel
    assert main(["aaaa", "format=model2vec", f"paths.output={static_runs}"]) == 0
    assert "checked on 40 rows (demo, test): vectors differ by at most 0.0e+00" in capsys.readouterr().out
    folder = static_runs / "aaaa" / "export" / "model2vec"
    found = reference.from_pretrained(folder).encode([*TEXTS, "", "\u4e2d"])
    assert not found[2:].any()  # a text without tokens, or of unknown ones alone
    layer = load_file(folder / HEAD)
    np.testing.assert_allclose(found[:2] @ layer["weight"].T + layer["bias"], logits(static_runs, "aaaa"), atol=1e-5)
    assert (folder / "README.md").read_text(encoding="utf-8").count("from model2vec import StaticModel") == 1
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".skops", ".joblib")]
    with pytest.raises(ConfigError, match=r"holds vectors for other programs, not answers\. Try: run predict aaaa"):
        find_model(str(folder), static_runs, "auto")


def test_static_embedding_counts_unknown_tokens_as_the_model_does(static_runs: Path) -> None:
    record = find_record(static_runs, "bbbb")
    exported, parity = write_vectors(record, static_runs / "bbbb", "static-embedding", None)
    assert parity.rows == 40 and parity.difference == 0
    inner = exported.folder / "0_StaticEmbedding"
    table = load_file(inner / "model.safetensors")["embedding.weight"]
    backend = Backend.from_file(str(inner / "tokenizer.json"))
    layer = load_file(exported.folder / HEAD)
    means = np.stack([table[backend.encode(text, add_special_tokens=False).ids].mean(0) for text in TEXTS])
    np.testing.assert_allclose(means @ layer["weight"].T + layer["bias"], logits(static_runs, "bbbb"), atol=1e-5)
    modules = json.loads((exported.folder / "modules.json").read_text(encoding="utf-8"))
    assert [part["type"] for part in modules] == ["sentence_transformers.models.StaticEmbedding"]


def test_a_model_that_compares_pairs_gives_the_vector_of_each_text_and_keeps_its_head(static_runs: Path) -> None:
    exported, _ = write_vectors(find_record(static_runs, "cccc"), static_runs / "cccc", "model2vec", None)
    assert not (exported.folder / HEAD).exists()
    assert "It compares two texts" in (exported.folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("identity", "form", "message"),
    [
        ("bbbb", "model2vec", "counts unknown tokens, .*Try: format=static-embedding, or .*model.unknown_tokens=drop"),
        ("aaaa", "static-embedding", "leaves unknown tokens out .*Try: format=model2vec, or .*unknown_tokens=keep"),
        ("dddd", "model2vec", "special tokens around a text.*Try: train with model=static"),
        ("eeee", "model2vec", "adds position vectors"),
    ],
)
def test_what_would_differ_elsewhere_is_refused_before_anything_is_written(
    identity: str, form: str, message: str, static_runs: Path
) -> None:
    before = sorted(static_runs.rglob("*"))
    with pytest.raises(ConfigError, match=message):
        write_vectors(find_record(static_runs, identity), static_runs / identity, form, None)
    assert sorted(static_runs.rglob("*")) == before


@pytest.mark.parametrize("added", [1.0, math.nan])
def test_vectors_that_differ_are_not_kept(
    added: float, static_runs: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = vectors.read_static
    monkeypatch.setattr(vectors, "read_static", lambda *words: (real(*words)[0] + added, *real(*words)[1:]))
    with pytest.raises(ParityError, match="Nothing was written"):
        write_vectors(find_record(static_runs, "aaaa"), static_runs / "aaaa", "model2vec", tmp_path / "out")
    assert not list(tmp_path.iterdir())
