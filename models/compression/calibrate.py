"""What the output layers of an encoder's halves get to read: means and covariances over the tokens of some texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from models.compression.shrink import Block, blocks, layer_of, output_of, width_of
from models.compression.stage import Inputs


@dataclass
class Moments:
    """Of the inputs x (d,) of a linear layer."""

    tokens: int
    total: Tensor  # sum of x, (d,)
    products: Tensor  # sum of x x^T, (d, d)

    def mean(self) -> Tensor:
        """E[x], (d,), double precision."""
        return self.total.double() / self.tokens

    def covariance(self) -> Tensor:
        """E[x x^T] - E[x] E[x]^T: the H of a layer whose bias takes up what is lost on average. (d, d), double."""
        mean = self.mean()
        return (self.products.double() / self.tokens).addr_(mean, mean, alpha=-1)

    def error(self, change: Tensor, shift: Tensor) -> float:
        """E||change x + shift||^2 for a change (d_out, d) of the weight and one (d_out,) of the bias."""
        change = change.double()
        spread = ((change @ self.covariance()) * change).sum()
        return float(spread + (change @ self.mean() + shift.double()).square().sum())


@torch.no_grad()
def collect(model: nn.Module, batches: Iterable[Inputs]) -> dict[Block, Moments]:
    """The moments of every half that has something left; padding does not count.

    Where the readout wants the first token only, the last layer's are those of the first tokens: nothing else of it
    is ever computed.
    """
    found: dict[Block, Moments] = {}
    mask: list[Tensor | None] = [None]
    hooks = []
    for block in blocks(model):
        layer = layer_of(model, block)
        if width_of(layer, block.kind):
            dense = output_of(layer, block.kind).dense
            found[block] = Moments(
                0, dense.weight.new_zeros(dense.in_features), dense.weight.new_zeros(2 * [dense.in_features])
            )
            hooks.append(dense.register_forward_pre_hook(_adder(found[block], mask)))
    was_training = model.training
    model.eval()
    try:
        with exact():
            for inputs in batches:
                mask[0] = inputs.get("attention_mask")
                model(**inputs)
    finally:
        for hook in hooks:
            hook.remove()
        model.train(was_training)
    return found


def _adder(moments: Moments, mask: list[Tensor | None]) -> Callable[[nn.Module, Any], None]:
    def add(module: nn.Module, arguments: Any) -> None:
        inner = arguments[0].float()
        real = mask[0]
        rows = inner.flatten(0, 1) if real is None else inner[real[:, : inner.shape[1]].bool()]
        moments.tokens += len(rows)
        moments.total += rows.sum(0)
        moments.products.addmm_(rows.T, rows)

    return add


@contextmanager
def exact() -> Iterator[None]:
    """Products in true float32: an engine that rounds to bf16 or TF32 is fast enough for training, not for this."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
