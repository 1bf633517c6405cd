"""Mean and standard deviation over real positions."""

from __future__ import annotations

import torch

from models.readouts.mean_std import EPSILON, MeanStd


def test_the_readout_is_the_mean_and_the_deviation_of_real_positions() -> None:
    hidden = torch.randn(2, 5, 3)
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    found = MeanStd(3, 0)(hidden, mask)
    own = hidden[0, :3]
    expected = torch.cat([own.mean(0), (own.var(0, unbiased=False) + EPSILON).sqrt()])
    torch.testing.assert_close(found[0], expected)
    torch.testing.assert_close(MeanStd(3, 0)(hidden[1:], None), found[1:])
    assert MeanStd(3, 0).width == 6


def test_one_frame_and_constant_frames_have_finite_gradients() -> None:
    for hidden in (torch.randn(1, 1, 3), torch.ones(1, 4, 3)):
        hidden.requires_grad_()
        MeanStd(3, 0)(hidden, None).sum().backward()
        assert hidden.grad is not None and hidden.grad.isfinite().all()
