"""AdamW without torch's class around it, and SGD: torch's own updates."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from runner.schema import OptimizerSettings
from runner.training.optimizer import AdamW, make_optimizer


def trained(optimizer: AdamW | torch.optim.Optimizer, parameters: list[nn.Parameter]) -> list[torch.Tensor]:
    """The parameters after five steps; in the third the last one has no gradient."""
    generator = torch.Generator().manual_seed(0)
    for step in range(5):
        for parameter in parameters:
            gradient = torch.randn(parameter.shape, generator=generator)
            parameter.grad = None if step == 2 and parameter is parameters[-1] else gradient
        optimizer.step()
    return [parameter.detach() for parameter in parameters]


def parameters() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(1)
    return [nn.Parameter(torch.randn(*shape, generator=generator)) for shape in ((4, 3), (5,))]


def test_adamw_is_torchs() -> None:
    own, theirs = parameters(), parameters()
    settings = OptimizerSettings(lr=1e-2, betas=[0.8, 0.95], eps=1e-6)
    ours = make_optimizer(
        [{"params": own[:1], "weight_decay": 0.1}, {"params": own[1:], "weight_decay": 0.0}], settings
    )
    torchs = torch.optim.AdamW(
        [{"params": theirs[:1], "weight_decay": 0.1}, {"params": theirs[1:], "weight_decay": 0.0}],
        lr=1e-2, betas=(0.8, 0.95), eps=1e-6, fused=True,
    )  # fmt: skip
    for one, other in zip(trained(ours, own), trained(torchs, theirs)):
        assert torch.equal(one, other)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_with_momentum_is_nesterovs(momentum: float) -> None:
    own = parameters()
    optimizer = make_optimizer([{"params": own, "weight_decay": 0.0}], OptimizerSettings(name="sgd", momentum=momentum))
    assert isinstance(optimizer, torch.optim.SGD)
    assert optimizer.defaults["nesterov"] is (momentum > 0) and optimizer.defaults["momentum"] == momentum
    assert optimizer.defaults["foreach"] is False, "its kernels change the gradients"
