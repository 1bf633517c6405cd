"""Tables of static vectors in their three layouts, and what is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from data.inputs.tokenizer import load_tokenizer
from models.build import build
from models.checkpoints.source import check_source
from models.checkpoints.static import check_static, is_static, read_static
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings

TABLE = torch.arange(12, dtype=torch.float32).reshape(4, 3)
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


def test_codes_shared_rows_and_factors_are_applied(tmp_path: Path) -> None:
    mapping, weights = torch.tensor([2, 0, 0]), torch.tensor([1.0, 2.0, 0.5])
    source = model2vec(tmp_path / "m", embeddings=(TABLE * 10).to(torch.int8), mapping=mapping, weights=weights)
    expected = TABLE[[2, 0, 0]] * torch.tensor([[1.0], [2.0], [0.5]]) * 10 / 127
    torch.testing.assert_close(read_static(source)[0], expected)


def test_what_is_no_table_is_named_before_data_are_read(tmp_path: Path) -> None:
    source = model2vec(tmp_path / "bert", layer=TABLE)
    for refused in (lambda: check_static(source, None), lambda: read_static(source)):
        with pytest.raises(ModelError, match=r"is no table of static vectors.*model.init=input model.init_from="):
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


@pytest.mark.hub
@pytest.mark.parametrize(("dims", "expected"), [(256, 0.8279), (64, 0.8119)])
def test_published_vectors_judge_similarity_as_published(dims: int, expected: float) -> None:
    from datasets import load_dataset
    from scipy.stats import spearmanr

    rows: Any = load_dataset("nyu-mll/glue", "stsb", split="validation")
    tokenizer = load_tokenizer(WORDLLAMA, special_tokens=False)
    settings = ModelSettings(
        family="dsn", readout={"name": "mean"}, positional=False, norm="none", dims=dims, pretrained=WORDLLAMA
    )
    model = build(settings, HeadSpec(), vocab_size=tokenizer.vocab_size, pad_id=tokenizer.pad_id)[0].eval()

    @torch.no_grad()
    def vectors(texts: list[str]) -> torch.Tensor:
        encoded = tokenizer.encode(texts, None, 512)
        parts = torch.from_numpy(encoded.tokens).split(encoded.lengths.tolist())
        return torch.cat([model.encode(ids.unsqueeze(0)) for ids in parts])

    one, other = vectors(list(rows["sentence1"])), vectors(list(rows["sentence2"]))
    found = spearmanr(torch.cosine_similarity(one, other).numpy(), rows["label"]).statistic
    assert found == pytest.approx(expected, abs=1e-3)
