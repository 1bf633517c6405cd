"""What the output layers of an encoder's halves get to read: means and covariances over the tokens of some texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from models.compression.stage import Inputs
from models.compression.structured.layer_widths import Block, blocks, layer_of, output_of, width_of


class Moments:
    """Of the inputs x (d,) of a linear layer; summed around the first batch's mean, or small variances drown."""

    def __init__(self) -> None:
        self.tokens = 0
        self.origin, self.total, self.products = Tensor(), Tensor(), Tensor()

    def add(self, rows: Tensor) -> None:
        """Take in the inputs of some tokens, (n, d) float32."""
        if not self.tokens:
            self.origin, self.total = rows.mean(0), rows.new_zeros(rows.shape[1])
            self.products = rows.new_zeros(rows.shape[1], rows.shape[1])
        rows = rows - self.origin
        self.tokens += len(rows)
        self.total += rows.sum(0)
        self.products.addmm_(rows.T, rows)

    def mean(self) -> Tensor:
        """E[x], (d,), double precision."""
        return self.origin.double() + self.total.double() / self.tokens

    def covariance(self) -> Tensor:
        """E[x x^T] - E[x] E[x]^T: the H of a layer whose bias takes up what is lost on average. (d, d), double."""
        off = self.total.double() / self.tokens
        return (self.products.double() / self.tokens).addr_(off, off, alpha=-1)

    def error(self, change: Tensor, shift: Tensor) -> float:
        """E||change x + shift||^2 for a change (d_out, d) of the weight and one (d_out,) of the bias."""
        change = change.double()
        spread = ((change @ self.covariance()) * change).sum()
        return float(spread + (change @ self.mean() + shift.double()).square().sum())


class Listener:
    """Hooks on every half of a model that has something left, which take in what its output layer reads."""

    def __init__(self, model: nn.Module) -> None:
        self.mask: Tensor | None = None  # of the batch going through, (B, T)
        self.moments: dict[Block, Moments] = {}
        self.hooks = []
        for block in blocks(model):
            layer = layer_of(model, block)
            if width_of(layer, block.kind):
                self.moments[block] = Moments()
                dense = output_of(layer, block.kind).dense
                self.hooks.append(dense.register_forward_pre_hook(self._hear(self.moments[block])))

    def _hear(self, moments: Moments) -> Any:
        def hear(module: nn.Module, arguments: tuple[Tensor]) -> None:
            inner = arguments[0].float()
            real = None if self.mask is None else self.mask[:, : inner.shape[1]].bool()
            moments.add(inner.flatten(0, 1) if real is None else inner[real])

        return hear


@torch.no_grad()
def collect(model: nn.Module, batches: Iterable[Inputs]) -> dict[Block, Moments]:
    """The moments of every half that has something left; padding does not count.

    Where the readout wants the first token only, the last layer's are those of the first tokens: nothing else of it
    is ever computed.
    """
    listener, was_training = Listener(model), model.training
    model.eval()
    try:
        with exact():
            for inputs in batches:
                listener.mask = inputs.get("attention_mask")
                model(**inputs)
    finally:
        for hook in listener.hooks:
            hook.remove()
        model.train(was_training)
    return listener.moments


@contextmanager
def exact() -> Iterator[None]:
    """Products in true float32: an engine that rounds to bf16 or TF32 is good enough for training, not for this."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
