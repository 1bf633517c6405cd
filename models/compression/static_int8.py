"""Static int8: int8 weights and inputs; the input ranges are measured once, on training rows.

    run 'compression=[int8_static]' from=<run id>

Each linear layer's input has one range. minmax covers all values seen. percentile leaves out the most extreme ones.
entropy takes the range whose quantized distribution is closest to the one seen (Kullback-Leibler divergence), as in
TensorRT (Migacz 2017), but the lower end need not mirror the upper one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from models.compression import settings
from models.compression.quantization.coded import CodedWeight
from models.compression.quantization.integers import Int8Linear, integer_product
from models.compression.quantization.stage import QuantizationStage
from models.compression.stage import StageContext
from models.errors import ModelError
from models.json_types import JsonObject

LEVELS = 255  # steps of an int8 range
BINS = 2048  # histogram bins for an input's values
TRIED = 64  # ranges that entropy chooses from; the narrowest is about a quarter of the full range


class StaticLinear(Int8Linear):
    """Quantizes its input to a fixed range stored in the model: input = (code - input_zero) * input_step."""

    input_step: Tensor  # ()
    input_zero: Tensor  # () int8

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__(layer)
        self.register_buffer("input_step", torch.ones(()))
        self.register_buffer("input_zero", torch.zeros((), dtype=torch.int8))

    def set_input_range(self, low: float, high: float) -> None:
        """Set the range of the input, widened to include 0."""
        low, high = min(low, 0.0), max(high, 0.0)
        step = (high - low) / LEVELS or 1.0
        self.input_step.fill_(step)
        self.input_zero.fill_(round(-low / step) - 128)
        self.derived = None

    def multiply(self, rows: Tensor) -> Tensor:
        """(N, in) float32 to (N, out) float32."""
        if self.derived is None:
            with torch.inference_mode(False), torch.no_grad():
                self.derived = self._constants()
        scale, zero, factor, shift = self.derived
        codes = rows.mul(scale).round_().add_(zero).clamp_(-128, 127).to(torch.int8)
        return integer_product(codes, self.codes).mul_(factor).add_(shift)

    def _constants(self) -> tuple[float, float, Tensor, Tensor]:
        """Scale and zero point that quantize an input; factor and shift (out,) that turn integer sums into outputs."""
        zero, factor = float(self.input_zero), self.step * self.input_step
        shift = -zero * self.codes.sum(1, dtype=torch.int32) * factor
        return 1.0 / float(self.input_step), zero, factor, shift if self.bias is None else shift + self.bias


class RangeObserver:
    """Observes one layer's inputs: first the extremes, then a histogram between them."""

    def __init__(self) -> None:
        self.low, self.high = 0.0, 0.0
        self.counts: Tensor | None = None

    def observe_extremes(self, input: Tensor) -> None:
        """Extend the extremes to cover inputs (..., in)."""
        low, high = torch.aminmax(input)
        self.low, self.high = min(self.low, float(low)), max(self.high, float(high))

    def observe_counts(self, input: Tensor) -> None:
        """Add inputs to the histogram, in a second pass over the same rows."""
        found = torch.histc(input.float(), BINS, self.low, self.high).cpu().double()
        self.counts = found if self.counts is None else self.counts + found

    def range(self, method: str, percentile: float) -> tuple[float, float]:
        """The lower and upper end of the range; values outside it are clamped."""
        if self.counts is None:
            return self.low, self.high
        first, last = (
            percentile_range(self.counts, percentile) if method == "percentile" else entropy_range(self.counts)
        )
        width = (self.high - self.low) / BINS
        return self.low + first * width, self.low + last * width


def percentile_range(counts: Tensor, percentile: float) -> tuple[int, int]:
    """The bins [first, last) without (100 - percentile) % of the values at each end."""
    share, cut = counts.cumsum(0) / counts.sum(), 1 - percentile / 100
    first = int((share <= cut).sum())
    return first, max(int((share < 1 - cut).sum()) + 1, first + 1)


def entropy_range(counts: Tensor) -> tuple[int, int]:
    """The bins [first, last) whose quantization to 255 levels has the smallest divergence."""
    peak = int(counts.argmax())
    best, least = (0, BINS), torch.inf
    for number in range(TRIED):
        share = 1 - 0.75 * number / TRIED
        first, last = round(peak * (1 - share)), peak + round((BINS - peak) * share)
        loss = _divergence(counts, first, last)
        if loss < least:
            best, least = (first, last), loss
    return best


def _divergence(counts: Tensor, first: int, last: int) -> float:
    """Kullback-Leibler divergence, in nats, between the values clamped to bins [first, last) and their quantization."""
    inside = counts[first:last]
    clamped = inside.clone()
    clamped[0] += counts[:first].sum()
    clamped[-1] += counts[last:].sum()
    level = torch.arange(len(inside)) * LEVELS // len(inside)
    there = (inside > 0).double()
    sums, places = (torch.zeros(LEVELS, dtype=torch.double).index_add_(0, level, part) for part in (inside, there))
    rounded = (sums / places.clamp(min=1))[level] * there
    p, q = clamped / clamped.sum(), rounded / rounded.sum()
    return float((p * (p / q.clamp(min=1e-12)).clamp(min=1e-300).log()).sum())


class StaticInt8(QuantizationStage):
    """Replace linear layers with static int8 layers and measure their input ranges."""

    options: settings.StaticInt8
    has_kernel = True

    def make_linear(self, layer: nn.Linear) -> StaticLinear:
        """The int8 layer that replaces a linear layer."""
        return StaticLinear(layer)

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Observe each layer's inputs, quantize, and set the input ranges."""
        model.eval()
        seen = {name: RangeObserver() for name, layer in model.named_modules() if type(layer) is nn.Linear}
        self._watch(model, context, {name: each.observe_extremes for name, each in seen.items()})
        if self.options.range != "minmax":
            self._watch(model, context, {name: each.observe_counts for name, each in seen.items()})
        self.ranges = {name: each.range(self.options.range, self.options.percentile) for name, each in seen.items()}
        return super().run(model, context)

    def fill(self, name: str, layer: nn.Linear | nn.Embedding, made: CodedWeight) -> None:
        """Quantize the weight, and set the range of the input."""
        super().fill(name, layer, made)
        if isinstance(made, StaticLinear):
            made.set_input_range(*self.ranges[name])

    @torch.no_grad()
    def _watch(self, model: nn.Module, context: StageContext, see: Mapping[str, Callable[[Tensor], object]]) -> None:
        """Pass every linear layer's inputs for the calibration rows to `see`; ModelError if there are no rows."""
        # With hooks, the last layer computes keys and values of every token, as the int8 layers will.
        hooks = [
            model.get_submodule(name).register_forward_hook(lambda _, inputs, __, take=take: take(inputs[0]))
            for name, take in see.items()
        ]
        count = 0
        try:
            for inputs, _, rows in context.batches(rows=self.options.rows, seed=context.seed):
                model(**inputs)
                count += len(rows)
        finally:
            for hook in hooks:
                hook.remove()
        if not count:
            raise ModelError("there are no training rows to calibrate on. Try: 'compression=[int8_dynamic]'")


def restore(model: nn.Module, description: JsonObject) -> nn.Module:
    """Give a newly built model the saved model's layers; their codes are loaded afterwards."""
    StaticInt8(settings.StaticInt8(**description)).replace_layers(model)
    return model
