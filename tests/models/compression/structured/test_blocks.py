"""Heads and neurons of transformers' encoders: equal to zeroed columns, saved and opened again, or refused."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from models.backbones.transformers_backbone import wrap_encoder
from models.build import attach_head
from models.checkpoints.open import load_model
from models.checkpoints.save import save_model
from models.compression.structured.blocks import ATTENTION, FFN, ZerosOnly, blocks_of, group_of, linear_of
from models.compression.structured.layer_widths import cut_sublayer, layer_of, record_widths, sublayers, widths
from models.compression.structured.optimal_brain_surgeon import group_columns
from models.compression.structured.surgery import Surgery
from models.errors import ModelError
from models.heads.base import HeadSpec
from tests.models.families import FAMILIES, SIZES
from tests.models.helpers import batch, count, fake_tokenizer

SMALL = SIZES | {"num_hidden_layers": 4, "num_attention_heads": 4}
MODERN = {**SMALL, "pad_token_id": 0, "global_attn_every_n_layers": 2, "local_attention": 4}
EUROBERT = {
    "model_type": "eurobert", **SMALL, "num_key_value_heads": 2, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2, "mask_token_id": 3,
}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "bert": SMALL | {"hidden_act": "gelu_new"},
    "roberta": SMALL | {"type_vocab_size": 1},
    "distilbert": FAMILIES["DistilBert"] | {"n_layers": 4},
    "modernbert": MODERN,
    "modernbert with biases": MODERN | {"attention_bias": True, "mlp_bias": True},
}
KEPT: dict[tuple[int, str], list[int]] = {
    (0, ATTENTION): [1, 3], (0, FFN): [0, 7, 8, 40], (1, ATTENTION): [], (1, FFN): list(range(48)),
    (2, ATTENTION): [0, 1, 2, 3], (2, FFN): [], (3, ATTENTION): [2], (3, FFN): [5],
}  # fmt: skip


def encoder(kind: str) -> Any:
    """A classifier over a tiny encoder of transformers, its weights drawn so that a forgotten bias shows."""
    torch.manual_seed(0)
    config = {"model_type": kind.partition(" ")[0], **KINDS[kind]}
    model = attach_head(*wrap_encoder(config, {"name": "mean"}, 0.1), HeadSpec(outputs=3)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def texts(rows: int = 5, length: int = 12) -> dict[str, torch.Tensor]:
    return {name: value for name, value in batch(rows, length).items() if name != "token_type_ids"}


def pair(kind: str) -> tuple[Any, Any]:
    """A model with zeroed columns, and the same one cut."""
    masked = encoder(kind)
    shrunk = copy.deepcopy(masked)
    for sublayer in sublayers(masked):
        part, layer = sublayer.part, layer_of(masked, sublayer)
        output, kept = linear_of(layer, part), KEPT[sublayer]
        places = group_columns(kept, group_of(layer, part))
        weight, bias = output.weight[:, places].detach().clone(), output.bias
        with torch.no_grad():
            output.weight.mul_(torch.zeros(output.in_features).index_fill_(0, places, 1.0))
        cut_sublayer(layer_of(shrunk, sublayer), part, kept, weight, None if bias is None else bias.detach())
    record_widths(shrunk)
    return masked, shrunk


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_model_equals_the_masked_one_and_is_saved_and_opened_as_it_is(kind: str, tmp_path: Path) -> None:
    masked, shrunk = pair(kind)
    assert widths(masked) == [[4, 48]] * 4 and widths(shrunk) == [[2, 4], [0, 48], [4, 0], [1, 1]]
    assert count(shrunk) < count(masked)
    for inputs in (texts(), texts(1, 1), texts(3, 20)):
        torch.testing.assert_close(shrunk(**inputs), masked(**inputs), atol=1e-5, rtol=0)
    save_model(shrunk, tmp_path / "m", tokenizer_save=fake_tokenizer, label_names=["a", "b", "c"], card="")
    opened = load_model(tmp_path / "m")
    assert widths(opened) == widths(shrunk) and torch.equal(opened(**texts()), shrunk(**texts()))
    shrunk.train()(**texts()).sum().backward()  # dropout too goes through sublayers that are gone


def test_a_gated_neuron_and_a_fused_head_have_rows_in_every_stretch() -> None:
    dense, (_, shrunk) = encoder("modernbert"), pair("modernbert")
    old, new = blocks_of(dense)[0], blocks_of(shrunk)[0]
    rows = [third * 32 + head * 8 + place for third in range(3) for head in (1, 3) for place in range(8)]
    assert torch.equal(new.attn.Wqkv.weight, old.attn.Wqkv.weight[rows])
    assert torch.equal(new.mlp.Wi.weight, old.mlp.Wi.weight[[0, 7, 8, 40, 48, 55, 56, 88]])
    assert isinstance(blocks_of(shrunk)[1].attn.Wo, ZerosOnly) and isinstance(
        blocks_of(shrunk)[1].attn_norm, nn.Identity
    )


@pytest.mark.parametrize("kind", KINDS)
def test_refitting_loses_less_than_deletion(kind: str) -> None:
    dense = encoder(kind)
    surgery = Surgery(dense, [texts(8, 16)])
    sizes = [3, 20, 1, 5, 0, 0, 4, 48]
    errors = surgery.errors(sizes)
    assert len(errors) == 6 and all(refitted <= deleted * (1 + 1e-6) for refitted, deleted in errors)
    assert sum(refitted for refitted, _ in errors) < sum(deleted for _, deleted in errors)
    assert widths(surgery.cut(sizes)) == [[3, 20], [1, 5], [0, 0], [4, 48]]


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"model_type": "albert", **FAMILIES["Albert"]}, "this model has AlbertLayerGroup"),
        (EUROBERT, "4 heads of this model share the keys of 2"),
    ],
)
def test_other_blocks_are_refused_with_the_kinds_that_are_known(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelError, match=f"BERT, RoBERTa, DistilBERT and ModernBERT, but {reason}"):
        blocks_of(attach_head(*wrap_encoder(config, {"name": "mean"}, 0.1), HeadSpec(outputs=3)))
