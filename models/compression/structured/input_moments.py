"""Means and covariances of the inputs of each sublayer's output layer, over the tokens of sample texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from models.compression.stage import Inputs
from models.compression.structured.blocks import linear_of
from models.compression.structured.layer_widths import Sublayer, layer_of, sublayers, width_of


class InputMoments:
    """Mean and covariance of the inputs x (d,) of a linear layer.

    Values are centred on the first batch's mean before summing, which keeps small variances accurate.
    """

    def __init__(self) -> None:
        self.tokens = 0
        self.origin, self.total, self.products = Tensor(), Tensor(), Tensor()

    def add(self, rows: Tensor) -> None:
        """Add the inputs of some tokens, (n, d) float32."""
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
        """E[x x^T] - E[x] E[x]^T, the H of a layer whose bias absorbs the mean error; (d, d), double precision."""
        off = self.total.double() / self.tokens
        return (self.products.double() / self.tokens).addr_(off, off, alpha=-1)

    def second_moment(self) -> Tensor:
        """E[x x^T], the H of a layer without a bias; (d, d), double precision."""
        mean = self.mean()
        return self.covariance().addr_(mean, mean)

    def error(self, change: Tensor, shift: Tensor) -> float:
        """E||change x + shift||^2 for a change of the weight (d_out, d) and a shift of the bias (d_out,)."""
        change = change.double()
        spread = ((change @ self.covariance()) * change).sum()
        return float(spread + (change @ self.mean() + shift.double()).square().sum())


class MomentsRecorder:
    """Hooks that collect moments of the output layer's inputs, for every sublayer whose width is not 0."""

    def __init__(self, model: nn.Module) -> None:
        self.mask: Tensor | None = None  # of the current batch, (B, T)
        self.moments: dict[Sublayer, InputMoments] = {}
        self.hooks = []
        for sublayer in sublayers(model):
            layer = layer_of(model, sublayer)
            if width_of(layer, sublayer.part):
                self.moments[sublayer] = InputMoments()
                output = linear_of(layer, sublayer.part)
                self.hooks.append(output.register_forward_pre_hook(self._collector(self.moments[sublayer])))

    def _collector(self, moments: InputMoments) -> Callable[..., None]:
        def collect(module: nn.Module, arguments: tuple[Tensor]) -> None:
            inner = arguments[0].float()
            is_whole = inner.ndim == 3  # else only the tokens that the head reads, (N, d), without padding
            real = None if self.mask is None or not is_whole else self.mask[:, : inner.shape[1]].bool()
            moments.add(inner.flatten(0, -2) if real is None else inner[real])

        return collect


@torch.no_grad()
def collect_moments(model: nn.Module, batches: Iterable[Inputs]) -> dict[Sublayer, InputMoments]:
    """The input moments of every sublayer whose width is not 0, excluding padding.

    The last layer computes only the tokens that the readout or the head needs, so its moments cover only those.
    """
    recorder, was_training = MomentsRecorder(model), model.training
    model.eval()
    try:
        with exact_float32():
            for inputs in batches:
                recorder.mask = inputs.get("attention_mask")
                model(**inputs)
    finally:
        for hook in recorder.hooks:
            hook.remove()
        model.train(was_training)
    return recorder.moments


@contextmanager
def exact_float32() -> Iterator[None]:
    """Multiply in full float32 within the block; bf16 and TF32 products are not precise enough for moments."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
