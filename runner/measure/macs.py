"""Multiply-adds (MACs) of one example, counted while the model runs, so that no formula can become outdated.

Matrix products and convolutions count (torch's FLOP counter, halved), also a mean over tokens, which is computed as a
product; look-ups, other sums, norms and activations do not, as in most published tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from runner.measure.inputs import Inputs, evaluating


def count_macs(model: nn.Module, inputs: Inputs) -> int:
    """Return the multiply-adds of one call of the model on `inputs`, in eval mode.

    The call leaves the model and its training flags as they were.
    """
    counter = FlopCounterMode(display=False, custom_mapping={torch.ops.aten._int_mm: _product_flops})
    # The counter has no formula for the CPU's fused attention and would silently leave attention out
    # (torch 2.13: 14 % of bert-tiny at 128 tokens), so attention runs as two plain products here. It has none for
    # oneDNN's recurrent layers either, which run as plain products without that library.
    plain = (sdpa_kernel(SDPBackend.MATH), _without_onednn())
    with evaluating(model), _frozen(model), torch.inference_mode(), plain[0], plain[1], counter:
        model(**inputs)
    return int(counter.get_total_flops()) // 2


@contextmanager
def _without_onednn() -> Iterator[None]:
    """Compute without oneDNN; `torch.backends.mkldnn.flags` does that too, but warns about GPUs."""
    was_enabled = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(was_enabled)


@contextmanager
def _frozen(model: nn.Module) -> Iterator[None]:
    """Freeze all parameters: the counter fails if a module returns a trainable one, as a removed block does."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        for parameter in trained:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)


def _product_flops(left: torch.Size, right: torch.Size, *, out_shape: torch.Size) -> int:
    """Return the FLOPs of a product of int8 matrices, for which the counter has no formula."""
    return 2 * left[0] * left[1] * right[1]
