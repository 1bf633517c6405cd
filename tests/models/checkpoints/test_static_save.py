"""Word vectors saved for other programs give the model's own means there, and what no table holds is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from data.inputs.tokenizer import train_tokenizer
from models.build import build
from models.checkpoints.static import is_static, read_static
from models.checkpoints.static_save import LAYOUTS, static_vectors, write_static
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from tests.models.helpers import SMALL

STATIC: dict[str, Any] = {"family": "dsn", "positional": False, "norm": "none", "readout": {"name": "mean"}}

RANDOM: dict[str, Any] = {
    "name": "token_random", "buckets": 101, "seed": 1, "scale": 0.25, "train_scale": True, "mode": "unique",
    "align": None, "align_width": 1, "ridge": 1.0,
}  # fmt: skip


def static(**changes: Any) -> Any:
    settings = ModelSettings(**(SMALL | STATIC | changes))
    tokens = ["[PAD]", "[CLS]", "[SEP]", *(f"##{index}" for index in range(87))]
    return build(settings, HeadSpec(), vocab_size=90, tokens=lambda: tokens)[0].eval()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_written_table_is_read_again_and_known_as_static(layout: str, tmp_path: Path) -> None:
    tokenizer = train_tokenizer(["a fine film", "dull"] * 5, 90)
    tokenizer.save(tmp_path / "saved")
    vectors = static_vectors(static(), 90)
    write_static(vectors, layout, tmp_path / "out", tmp_path / "saved" / "tokenizer.json", 90)
    assert is_static(str(tmp_path / "out"))
    assert torch.equal(read_static(str(tmp_path / "out"))[0], vectors)


def test_an_id_without_a_token_gets_a_mapping_that_model2vec_wants(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    vectors = static_vectors(static(), 90)
    write_static(vectors, "model2vec", tmp_path / "out", tmp_path / "tokenizer.json", 89)
    from safetensors import safe_open

    with safe_open(tmp_path / "out" / "model.safetensors", "pt") as opened:
        assert opened.get_tensor("mapping").tolist() == list(range(90))
    assert torch.equal(read_static(str(tmp_path / "out"))[0], vectors)


@pytest.mark.parametrize(
    "changes",
    [
        {"norm": "layer"},
        {"embedding": RANDOM},
        {"readout": {"name": "pair", "norm": "layer", "size": None, "dropout": 0.1}},
    ],
    ids=["norm", "computed", "pair"],
)
def test_what_is_done_to_each_token_alone_is_folded_into_its_row(changes: dict[str, Any]) -> None:
    model = static(**changes)
    ids = torch.tensor([[5, 7, 7, 80]])
    with torch.no_grad():
        expected = model.bert.embeddings(ids).mean(1)
    torch.testing.assert_close(static_vectors(model, 90)[ids].mean(1), expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positional": True}, "the format has none. Try: train with model=static"),
        ({"readout": {"name": "sum"}}, "its readout is sum, .*Try: train with model/readout=mean"),
        ({"readout": {"name": "sqrt"}}, "its readout is sqrt"),
        ({"embedding": {"name": "bigram", "buckets": 50}}, "of pairs of tokens"),
        ({"family": "bert", "readout": {"name": "mean"}}, "it has an encoder"),
    ],
    ids=["positions", "sum", "sqrt", "bigram", "encoder"],
)
def test_what_no_table_holds_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        static_vectors(static(**changes), 90)
