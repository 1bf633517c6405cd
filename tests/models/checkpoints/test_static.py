"""Tables of static vectors in their three layouts, and what is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers

from data.inputs.tokenizer import load_tokenizer
from models.build import build
from models.checkpoints.source import check_source
from models.checkpoints.static import check_static, is_static, read_static
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings

TABLE = torch.arange(12, dtype=torch.float32).reshape(4, 3)
WORDS = ("<unk>", "a", "fine", "film", "dull")
TEXTS = ["a fine fine", "", "x a y", "x"]
WORDLLAMA = "dleemiller/wordllama-l2-supercat-256"


def model2vec(folder: Path, **tensors: torch.Tensor) -> str:
    folder.mkdir(exist_ok=True)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec"}), encoding="utf-8")
    return str(folder)


def test_each_layout_gives_the_same_vectors(tmp_path: Path) -> None:
    inner = tmp_path / "st" / "0_StaticEmbedding"
    inner.mkdir(parents=True)
    save_file({"embedding.weight": TABLE}, inner / "model.safetensors")
    parts = [{"type": "sentence_transformers.models.StaticEmbedding", "path": "0_StaticEmbedding"}]
    (tmp_path / "st" / "modules.json").write_text(json.dumps(parts), encoding="utf-8")
    for source in (model2vec(tmp_path / "m2v", embeddings=TABLE.half()), str(tmp_path / "st")):
        assert is_static(source) and torch.equal(read_static(source)[0], TABLE)
        with pytest.raises(ModelError, match=r"Try: run model=static model\.pretrained="):
            check_source(ModelSettings(family="auto", pretrained=source))


def test_a_table_in_bfloat16_is_read(tmp_path: Path) -> None:
    vectors, digest = read_static(model2vec(tmp_path / "m", embeddings=TABLE.bfloat16()))
    assert torch.equal(vectors, TABLE.bfloat16().float()) and len(digest) == 64


def test_codes_shared_rows_and_factors_are_applied(tmp_path: Path) -> None:
    mapping, weights = torch.tensor([2, 0, 0]), torch.tensor([1.0, 2.0, 0.5])
    source = model2vec(tmp_path / "m", embeddings=(TABLE * 10).to(torch.int8), mapping=mapping, weights=weights)
    expected = TABLE[[2, 0, 0]] * torch.tensor([[1.0], [2.0], [0.5]]) * 10 / 127
    torch.testing.assert_close(read_static(source)[0], expected)


def test_what_is_no_table_is_named_before_data_are_read(tmp_path: Path) -> None:
    source = model2vec(tmp_path / "bert", layer=TABLE)
    for refused in (lambda: check_static(source, None), lambda: read_static(source)):
        with pytest.raises(ModelError, match=r"is not a table of static vectors.*model.init=input model.init_from="):
            refused()
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"has no model.safetensors"):
        check_static(str(tmp_path / "empty"), None)
    (tmp_path / "bert" / "model.safetensors").write_bytes(b"x" * 40)
    with pytest.raises(ModelError, match="is damaged"):
        check_static(source, None)


def test_more_columns_than_the_table_has_are_refused(tmp_path: Path) -> None:
    source = model2vec(tmp_path / "m", embeddings=TABLE)
    assert (check_static(source, None), check_static(source, 2)) == (3, 2)
    with pytest.raises(ModelError, match=r"has 3 columns.*Try: model.dims=3"):
        check_static(source, 4)


def test_a_table_with_numbers_that_are_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not finite"):
        read_static(model2vec(tmp_path / "m", embeddings=TABLE / 0))


def model2vec_folder(folder: Path, **options: Any) -> str:
    """A folder as the package itself saves it: words, one of them unknown, and no padding token."""
    reference = pytest.importorskip("model2vec")
    table = np.random.default_rng(0).normal(size=(len(WORDS), 6)).astype(options.pop("dtype", np.float32))
    rows = options.pop("rows", None)
    backend = Backend(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    found = reference.StaticModel(table if rows is None else table[:rows], backend, **options)
    found.save_pretrained(folder)
    return str(folder)


def pooled(source: str, texts: list[str], **settings: Any) -> torch.Tensor:
    """The mean vectors that a run starts from."""
    tokenizer = load_tokenizer(source, special_tokens=False)
    wanted = ModelSettings(
        family="dsn", readout={"name": "mean"}, positional=False, norm="none", pretrained=source, **settings
    )
    model = build(wanted, HeadSpec(), vocab_size=tokenizer.vocab_size, pad_id=tokenizer.pad_id)[0].eval()
    encoded = tokenizer.encode(texts, None, 512)
    parts = torch.from_numpy(encoded.tokens).split(encoded.lengths.tolist())
    with torch.no_grad():
        return torch.cat([model.encode(ids.unsqueeze(0)) for ids in parts])


@pytest.mark.parametrize(
    ("options", "rounding"),
    [
        ({}, 1e-6),
        ({"config": {"model_type": "model2vec"}}, 1e-6),
        ({"weights": np.arange(1.0, 6.0, dtype=np.float32)}, 1e-6),
        ({"rows": 3, "token_mapping": np.array([0, 1, 1, 2, 0])}, 1e-6),
        ({"rows": 3, "token_mapping": np.array([0, 1, 1, 2, 0]), "weights": np.full(5, 0.5, np.float32)}, 1e-6),
        ({"dtype": np.float16}, 2e-3),  # the package averages in 16 bits, we in 32
    ],
    ids=["no-model-type", "model-type", "weights", "mapping", "both", "fp16"],
)
def test_vectors_are_those_of_the_package_model2vec(options: dict[str, Any], rounding: float, tmp_path: Path) -> None:
    source = model2vec_folder(tmp_path / "m", **options)
    expected = pytest.importorskip("model2vec").StaticModel.from_pretrained(source).encode(TEXTS)
    assert is_static(source)
    np.testing.assert_allclose(pooled(source, TEXTS).numpy(), expected.astype(np.float32), atol=rounding)
    np.testing.assert_allclose(pooled(source, TEXTS, dims=2).numpy(), expected[:, :2], atol=rounding)


def test_vectors_in_8_bits_are_those_of_the_package_in_another_unit(tmp_path: Path) -> None:
    source = model2vec_folder(tmp_path / "m")
    reference = pytest.importorskip("model2vec").StaticModel.from_pretrained(source, quantize_to="int8")
    reference.save_pretrained(tmp_path / "int8")
    found = pooled(str(tmp_path / "int8"), TEXTS)
    np.testing.assert_allclose(found.numpy() * 127, reference.encode(TEXTS), atol=1e-4)


def test_static_embedding_counts_unknown_tokens_and_gives_zeros_for_an_empty_text(tmp_path: Path) -> None:
    inner = tmp_path / "0_StaticEmbedding"
    inner.mkdir()
    (tmp_path / "modules.json").write_text("[]", encoding="utf-8")
    backend = Backend(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.save(str(inner / "tokenizer.json"))
    table = torch.randn(len(WORDS), 6)
    save_file({"embedding.weight": table}, inner / "model.safetensors")
    expected = [table[[1, 2, 2]].mean(0), torch.zeros(6), table[[0, 1, 0]].mean(0), table[0]]
    torch.testing.assert_close(pooled(str(tmp_path), TEXTS), torch.stack(expected))
    settings = {"unknown_tokens": "drop"}
    dropping = load_tokenizer(str(tmp_path), special_tokens=False, **settings)
    assert dropping.encode(TEXTS, None, 8).tokens.tolist() == [1, 2, 2, 5, 1, 5]


@pytest.mark.hub
def test_published_vectors_judge_similarity_as_published() -> None:
    from datasets import load_dataset
    from scipy.stats import spearmanr

    rows: Any = load_dataset("nyu-mll/glue", "stsb", split="validation")
    one, other = (pooled(WORDLLAMA, list(rows[name])) for name in ("sentence1", "sentence2"))
    for dims, expected in ((256, 0.8279), (128, 0.8237), (64, 0.8119)):
        found = torch.cosine_similarity(one[:, :dims], other[:, :dims])
        assert spearmanr(found.numpy(), rows["label"]).statistic == pytest.approx(expected, abs=1e-3)
