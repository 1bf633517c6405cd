"""Lengths: how many tokens leave each layer of our encoder, so that higher layers compute fewer tokens.

    Lengths((0.9, 0.8, 0.5, 1.0))                # shares of the tokens that enter each layer, for each text separately
    Lengths((300, 250, 120, 60), "absolute")     # numbers of tokens, for inputs padded to a fixed length
    Lengths((0.9, 0.8)).kept_of(128)             # [116, 93]

Sources: PoWER-BERT, arXiv 2001.08950; Length-Adaptive Transformer, arXiv 2010.07003. The published lengths are
absolute. Ratios are our addition, so that a text's prediction does not depend on the other texts in its batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar

from models.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

Count = TypeVar("Count", int, "Tensor")
Mode = Literal["ratio", "absolute"]
MODES: tuple[Mode, ...] = ("ratio", "absolute")
LEAST = 2  # minimum number of tokens of a text that leave a layer: [CLS] and one more
PARTS = 10_000  # ratios are stored as integer multiples of 1 / PARTS, so that lengths use only integer arithmetic


@dataclass(frozen=True)
class Lengths:
    """One value per layer; ModelError for invalid values.

    ratio: the share of entering tokens that leave the layer, above 0 and at most 1, rounded to 4 decimals. absolute:
    the number of tokens, at least 2 and never more than in the previous layer.
    """

    values: tuple[float, ...]
    mode: Mode = "ratio"

    def __post_init__(self) -> None:
        """Raise ModelError for values out of range, and for absolute lengths that grow."""
        if self.mode not in MODES:
            raise ModelError(f"lengths: mode is {self.mode!r:.40}. Expected one of {', '.join(MODES)}")
        if not self.values:
            raise ModelError("lengths: there is no value. Expected one for each layer")
        for layer, value in enumerate(self.values, 1):
            self._check(layer, value)
        if self.mode == "absolute":
            self._check_shrinks()

    def _check(self, layer: int, value: float) -> None:
        if self.mode == "ratio" and not 1 / PARTS <= value <= 1.0:
            raise ModelError(
                f"lengths: layer {layer} has {value:g}. Expected the share of its tokens that stays, above 0 and at "
                "most 1; lengths in tokens are mode=absolute"
            )
        if self.mode == "absolute" and not (value >= LEAST and float(value).is_integer()):
            raise ModelError(f"lengths: layer {layer} keeps {value:g} tokens. Expected a whole number, {LEAST} or more")

    def _check_shrinks(self) -> None:
        for layer, (before, value) in enumerate(zip(self.values, self.values[1:]), 2):
            if value > before:
                raise ModelError(
                    f"lengths: layer {layer} keeps {value:g} tokens and the layer before it {before:g}. "
                    f"Expected lengths that do not grow with depth. Try: {before:g}"
                )

    def check_fits(self, layers: int, longest: int | None) -> None:
        """Raise ModelError unless there is one value for each of the model's `layers`.

        longest: the maximum number of tokens that the model accepts; None: no limit.
        """
        if len(self.values) != layers:
            raise ModelError(f"lengths: {len(self.values)} values for {layers} layers. Expected one for each layer")
        if self.mode == "absolute" and longest is not None and self.values[0] > longest:
            raise ModelError(
                f"lengths: layer 1 keeps {self.values[0]:g} tokens, but this model takes {longest} at most. "
                f"Try: {longest}"
            )

    @cached_property
    def parts(self) -> tuple[int, ...]:
        """The ratios times PARTS, as integers, or the lengths in tokens."""
        return tuple(round(value * PARTS) if self.mode == "ratio" else int(value) for value in self.values)

    def drops(self, layer: int) -> bool:
        """Does a layer, counted from 0, ever drop a token?"""
        if self.mode == "ratio":
            return self.parts[layer] < PARTS
        return layer == 0 or self.parts[layer] < self.parts[layer - 1]

    def kept(self, layer: int, counts: Tensor) -> Tensor:
        """How many tokens of each text leave a layer (from 0), (B,); counts: how many enter it, (B,) int64."""
        if self.mode == "absolute":
            return counts.clamp(max=self.parts[layer])
        return self.share(layer, counts).clamp(min=LEAST).minimum(counts)

    def kept_of(self, length: int) -> list[int]:
        """How many tokens leave each layer, for a text of `length` tokens."""
        found, count = list[int](), length
        for layer, parts in enumerate(self.parts):
            count = min(count, parts if self.mode == "absolute" else max(LEAST, self.share(layer, count)))
            found.append(count)
        return found

    def share(self, layer: int, count: Count) -> Count:
        """The ratio of a layer times `count` tokens, rounded up."""
        return (count * self.parts[layer] + PARTS - 1) // PARTS
