"""The CNN over frames: its size, and batch norms that see real frames alone."""

from __future__ import annotations

import copy

import torch

from models.backbones.cnn import RealBatchNorm
from models.build import build
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from tests.models.sounds import CNN, frames, of_sounds


def test_the_mfcc_cnn_has_24170_parameters() -> None:
    model, _ = build(ModelSettings(**CNN | {"hidden": 64}), HeadSpec(outputs=10), vocab_size=40)
    assert sum(parameter.numel() for parameter in model.parameters()) == 24_170


def test_a_batch_norm_in_training_sees_real_frames_alone() -> None:
    maps, mask = torch.randn(2, 3, 6, 4), torch.tensor([[1] * 6, [1, 1, 0, 0, 0, 0]])
    norm, plain = RealBatchNorm(3), torch.nn.BatchNorm2d(3)
    real = torch.cat([maps[0].transpose(0, 1), maps[1, :, :2].transpose(0, 1)])  # (8 frames, C, F)
    expected = plain(real.permute(1, 0, 2)[None])[0]
    found = norm(maps, mask)
    torch.testing.assert_close(found[0], expected[:, :6])
    torch.testing.assert_close(norm.running_mean, plain.running_mean)
    torch.testing.assert_close(norm.running_var, plain.running_var)
    again = RealBatchNorm(3)
    torch.testing.assert_close(again(maps + 50.0 * (1 - mask)[:, None, :, None], mask)[1, :, :2], found[1, :, :2])


def test_padding_changes_no_gradient() -> None:
    model, inputs = of_sounds("cnn").train(), frames(9, 5)
    model.dropout.p = 0.0
    other = copy.deepcopy(model)
    model(**inputs).sum().backward()
    noise = 10.0 * (1 - inputs["attention_mask"]).unsqueeze(-1)
    other(inputs["input_ids"] + noise, inputs["attention_mask"]).sum().backward()
    for one, two in zip(model.parameters(), other.parameters()):
        torch.testing.assert_close(one.grad, two.grad)
