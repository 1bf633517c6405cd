"""How many tokens leave a layer, and which lengths mean nothing."""

from __future__ import annotations

import pytest
import torch

from models.backbones.lengths import Lengths, Mode
from models.errors import ModelError

SHRINKING = [308, 247, 198, 159, 128, 103, 83, 67, 54, 44, 36, 29]  # of 384 tokens, a fifth less in each layer


def test_kept_tokens_are_those_of_the_published_code() -> None:
    assert Lengths((0.8,) * 12).kept_of(384) == SHRINKING
    assert Lengths((0.8,) * 2).kept_of(128) == [103, 83]
    assert Lengths((269, 253, 252), "absolute").kept_of(260) == [260, 253, 252]


def test_rounding_errors_of_a_ratio_keep_no_token_more() -> None:
    assert [Lengths((share,)).kept_of(100) for share in (0.07, 0.29, 0.57, 0.58)] == [[7], [29], [57], [58]]


def test_two_tokens_stay_and_no_token_is_made_up() -> None:
    assert Lengths((0.01, 0.5)).kept_of(50) == [2, 2]
    assert Lengths((0.01,)).kept_of(1) == [1] and Lengths((1.0,)).kept_of(7) == [7]


@pytest.mark.parametrize("lengths", [Lengths((0.63, 0.8)), Lengths((30, 12), "absolute")])
def test_texts_of_a_batch_keep_what_each_alone_keeps(lengths: Lengths) -> None:
    counts = torch.arange(64)
    first = lengths.kept(0, counts)
    found = torch.stack([first, lengths.kept(1, first)], 1)
    assert found.tolist() == [lengths.kept_of(count) for count in counts.tolist()]


def test_a_layer_that_keeps_as_many_as_the_one_before_drops_nothing() -> None:
    ratio, absolute = Lengths((1.0, 0.5)), Lengths((30, 30, 12), "absolute")
    assert [ratio.drops(0), ratio.drops(1)] == [False, True]
    assert [absolute.drops(layer) for layer in range(3)] == [True, False, True]


@pytest.mark.parametrize(
    ("values", "mode", "told"),
    [
        ((30, 20, 25), "absolute", "layer 3 keeps 25 tokens and the layer before it 20. .* Try: 20"),
        ((30, 1), "absolute", "layer 2 keeps 1 tokens. Expected a whole number, 2 or more"),
        ((30.5, 20), "absolute", "layer 1 keeps 30.5 tokens"),
        ((0.9, 0.0), "ratio", "layer 2 has 0. Expected the share"),
        ((128, 64), "ratio", "layer 1 has 128. .* lengths in tokens are mode=absolute"),
        ((float("nan"),), "ratio", "layer 1 has nan"),
        ((float("inf"), 4), "absolute", "layer 1 keeps inf tokens"),
        ((), "ratio", "there is no value"),
        ((1.0,), "tokens", "mode is 'tokens'. Expected one of ratio, absolute"),
    ],
)
def test_values_that_mean_nothing_are_refused(values: tuple[float, ...], mode: Mode, told: str) -> None:
    with pytest.raises(ModelError, match=told):
        Lengths(values, mode)


def test_lengths_of_another_model_are_refused() -> None:
    with pytest.raises(ModelError, match="2 values for 3 layers"):
        Lengths((0.5, 0.5)).check_fits(3, 512)
    with pytest.raises(ModelError, match=r"layer 1 keeps 600 tokens, but this model takes 512 at most\. Try: 512"):
        Lengths((600, 20), "absolute").check_fits(2, 512)
    Lengths((600, 20), "absolute").check_fits(2, None)
    Lengths((0.5, 0.5)).check_fits(2, 512)
