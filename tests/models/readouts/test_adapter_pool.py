"""The adapter pooler: published parameter counts, its three poolings, and that padding changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from models.checkpoints.open import load_model
from models.errors import ModelError
from models.parts import make_readout
from models.readouts.adapter_pool import AdapterPool
from tests.models.checkpoints.test_save import write
from tests.models.helpers import batch, count, small

SIZES = {
    "tiny": (2, 128),
    "mini": (4, 256),
    "small": (4, 512),
    "medium": (8, 512),
    "base": (12, 768),
    "large": (24, 1024),
}
OPTIONS: dict[str, Any] = {"size": 3, "pool": "flatten", "shared": True, "skip": False, "length": 17}

# encoder, tokens, size, outputs: trained parameters of the published sentence heads
PUBLISHED = [
    ("base", 121, 32, 2, 125_282), ("base", 250, 8, 2, 58_154), ("base", 128, 32, 2, 131_106),
    ("base", 128, 16, 2, 65_554), ("base", 128, 128, 2, 524_418), ("base", 128, 128, 3, 737_411),
    ("base", 128, 128, 1, 311_425), ("large", 128, 128, 2, 950_402), ("large", 128, 128, 3, 1_360_003),
    ("large", 128, 128, 1, 540_801), ("large", 250, 250, 2, 3_381_252),
]  # fmt: skip
# at 128 tokens and two outputs, sizes 8, 16, 32, 64, 128
BY_SIZE = {
    "tiny": (7_178, 14_354, 28_706, 57_410, 114_818),
    "mini": (12_298, 24_594, 49_186, 98_370, 196_738),
    "small": (14_346, 28_690, 57_378, 114_754, 229_506),
    "medium": (22_538, 45_074, 90_146, 180_290, 360_578),
    "base": (32_778, 65_554, 131_106, 262_210, 524_418),
    "large": (59_402, 118_802, 237_602, 475_202, 950_402),
}
MEANS = {"tiny": 2_162, "mini": 4_274, "small": 8_370, "medium": 8_498, "base": 12_722, "large": 17_202}
# The published span heads: a linear layer from each token to start and end, as large as ours from the mean to two.
SPANS = [
    ("large", 386, True, False, 414_952), ("large", 386, True, True, 417_000), ("large", 386, False, False, 9_910_552),
    ("large", 386, False, True, 9_912_600), ("large", 64, True, False, 68_802), ("large", 64, True, True, 70_850),
    ("large", 64, False, False, 1_643_202), ("large", 64, False, True, 1_645_250), ("base", 384, True, False, 305_282),
    ("large", 384, True, False, 412_802),
]  # fmt: skip


def made(**changes: Any) -> AdapterPool:
    """The readout over 2 layers of 32."""
    found = make_readout({"name": "adapter_pool", **(OPTIONS | changes)}, 32, 2)
    assert isinstance(found, AdapterPool)
    return found


def head(encoder: str, outputs: int, **changes: Any) -> int:
    """Parameters of the readout over an encoder of that size and of the linear layer after it."""
    layers, hidden = SIZES[encoder]
    with torch.device("meta"):
        readout = AdapterPool(hidden, layers, **(OPTIONS | changes))
        return count(readout) + count(nn.Linear(readout.width, outputs))


@pytest.mark.parametrize(("encoder", "tokens", "size", "outputs", "expected"), PUBLISHED)
def test_the_flattened_head_has_the_published_parameters(
    encoder: str, tokens: int, size: int, outputs: int, expected: int
) -> None:
    assert head(encoder, outputs, size=size, length=tokens) == expected


@pytest.mark.parametrize("encoder", BY_SIZE)
def test_the_head_grows_with_encoder_and_adapter_as_computed(encoder: str) -> None:
    assert tuple(head(encoder, 2, size=size, length=128) for size in (8, 16, 32, 64, 128)) == BY_SIZE[encoder]
    assert head(encoder, 2, size=16, pool="masked_mean") == MEANS[encoder]


@pytest.mark.parametrize(("encoder", "size", "shared", "skip", "expected"), SPANS)
def test_shared_unshared_and_skip_have_the_published_parameters(
    encoder: str, size: int, shared: bool, skip: bool, expected: int
) -> None:
    assert head(encoder, 2, size=size, shared=shared, skip=skip, pool="masked_mean") == expected


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("pool", ["flatten", "masked_mean", "cls"])
def test_each_pooling_is_gelu_of_a_linear_layer_at_each_place(pool: str, shared: bool) -> None:
    readout, states = made(pool=pool, shared=shared), list(torch.randn(3, 2, 5, 32))
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    gelu = nn.GELU()
    for row, length in enumerate((5, 2)):
        places = torch.stack([
            torch.cat([gelu(readout.adapter[0 if shared else j](states[j][row, t])) for j in range(3)])
            for t in range(length)
        ])  # fmt: skip
        expected = {
            "flatten": torch.cat([places.flatten(), torch.zeros((17 - length) * 9)]),
            "masked_mean": places.mean(0),
            "cls": places[0],
        }[pool]
        torch.testing.assert_close(readout(states, mask)[row], expected)


def test_the_skip_connection_lays_the_last_state_beside() -> None:
    readout, states = made(pool="cls", skip=True), list(torch.randn(3, 2, 5, 32))
    assert torch.equal(readout(states, None)[:, -32:], states[-1][:, 0])


@pytest.mark.parametrize("pool", ["flatten", "masked_mean", "cls"])
def test_the_answer_does_not_depend_on_the_padding(pool: str) -> None:
    model = small(readout={"name": "adapter_pool", **OPTIONS, "pool": pool})
    inputs = batch(length=17)
    length = int(inputs["attention_mask"][1].sum())
    alone = model(**{name: value[1:2, :length] for name, value in inputs.items()})
    torch.testing.assert_close(model(**inputs)[1:2], alone, atol=1e-6, rtol=1e-5)


def test_a_saved_head_comes_back_and_refuses_longer_texts(tmp_path: Any) -> None:
    model = small(readout={"name": "adapter_pool", **OPTIONS})
    again = load_model(write(model, tmp_path / "m"))
    assert torch.equal(again(**batch()), model(**batch()))
    with pytest.raises(ModelError, match="18 tokens: this head was made for 17"):
        again(**batch(length=18))


@pytest.mark.parametrize(
    ("option", "message"), [({"pool": "max"}, "flatten, masked_mean, cls"), ({"size": 0}, "at least 1")]
)
def test_options_that_make_no_sense_are_refused(option: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        made(**option)
