"""A learned weighted sum of layers."""

from __future__ import annotations

import pytest
import torch

from models.capabilities import Observed, OwnRate
from models.errors import ModelError
from models.readouts.layer_mix import MeanMix, Mix, make_mix

VECTORS = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])  # one text, two layers


def test_the_mix_is_a_softmax_of_its_weights_times_gamma() -> None:
    mix = Mix(torch.tensor([0.0, 0.0]), range(2), gamma=torch.tensor(2.0))
    torch.testing.assert_close(mix(VECTORS), torch.tensor([[4.0, 6.0]]))
    free = Mix(torch.tensor([1.0, -1.0]), range(2), gamma=None, normalize="none")
    torch.testing.assert_close(free(VECTORS), torch.tensor([[-2.0, -2.0]]))


def test_a_skipped_layer_has_no_share_and_one_always_stays() -> None:
    torch.manual_seed(0)
    mix = Mix(torch.zeros(4), range(4), gamma=None, layer_dropout=0.9).train()
    for _ in range(20):
        shares = mix.shares()
        assert float(shares.detach().sum()) == pytest.approx(1.0)
    mix.eval()
    assert mix.shares().tolist() == [0.25] * 4


def test_a_mix_reports_its_weights_and_has_its_own_learning_rate() -> None:
    mix = Mix(torch.zeros(2), [1, 2], gamma=torch.ones(1), lr=0.05)
    assert isinstance(mix, Observed) and isinstance(mix, OwnRate) and mix.own_lr == 0.05
    facts = mix.facts()
    assert facts["mix/weight_1"] == facts["mix/weight_2"] == 0.5
    assert facts["mix/center"] == 1.5 and facts["mix/gamma"] == 1.0
    assert facts["mix/entropy"] == pytest.approx(0.6931, abs=1e-4)


def test_equal_weights_are_a_mean_and_other_names_are_refused() -> None:
    made = make_mix(2, "mean")
    assert isinstance(made, MeanMix) and made(VECTORS).tolist() == [[2.0, 3.0]]
    with pytest.raises(ModelError, match=r"weights=median: expected one of learned, mean. Try: .*weights=learned"):
        make_mix(2, "median")
