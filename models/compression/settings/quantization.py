"""The settings of the methods that quantize."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from models.compression.settings.stage import StageSettings
from models.settings import limited


@dataclass
class Bf16(StageSettings):
    """Weights and arithmetic in bfloat16; no options."""

    phase: ClassVar[str] = "quantize"
    method: str = limited("bf16", choices=("bf16",))


@dataclass
class QuantizationSettings(StageSettings):
    """The settings that all methods with integer weights share; tables are affine, with one range for each row.

    embedding_block: neighbouring rows of a table that share a range instead; embedding_group: numbers of a row that do,
    0: all of them.
    """

    phase: ClassVar[str] = "quantize"
    embeddings: bool = True
    embedding_bits: int = limited(8, low=2, high=8)
    embedding_block: int = limited(1, low=1, neutral=1)
    embedding_group: int = limited(0, low=0, neutral=0)
    head: bool = True


@dataclass
class AwareSettings(QuantizationSettings):
    """The settings of methods that can train the weights and their ranges before they round them.

    tables: which of the look-up tables are rounded. rest: how all that is not in codes is stored, steps included.
    """

    tables: str = limited("all", choices=("all", "words"), neutral="all")
    rest: str = limited("fp32", choices=("fp32", "fp16"), neutral="fp32")
    qat: bool = limited(False, neutral=False)
    qat_epochs: float = limited(1.0, above=0.0, neutral=1.0)
    qat_lr: float | None = limited(None, above=0.0, neutral=None)  # None: the run's own
    qat_step_lr: float | None = limited(None, above=0.0, neutral=None)  # None: that of the weights
    qat_weight_decay: float | None = limited(None, low=0.0, neutral=None)  # None: the run's own
    qat_dropout: bool = limited(True, neutral=True)
    qat_soft: float = limited(0.0, low=0.0, high=1.0, neutral=0.0)  # weight of the unrounded model's answers
    qat_states: float = limited(0.0, low=0.0, neutral=0.0)  # weight of its states
    qat_hold: float = limited(0.0, low=0.0, high=1.0, neutral=0.0)  # share of the steps, the last, with fixed ranges


@dataclass
class WeightOnly(AwareSettings):
    """Quantized weights, float32 arithmetic."""

    method: str = limited("weight_only", choices=("weight_only",))
    bits: int = limited(8, low=2, high=8)
    scheme: str = limited("symmetric", choices=("symmetric", "affine", "even"))
    per: str = limited("row", choices=("tensor", "row", "group"))  # what shares a range
    group: int = limited(128, low=2)  # neighbours in a row, where per=group
    block: int = limited(1, low=1, neutral=1)  # neighbouring rows that share a range, where per is row or group
    clip: float = limited(0.0, low=0.0, high=25.0)  # percent of a range's weights cut off at each end
    fit: str = limited("extremes", choices=("extremes", "least_error"), neutral="extremes")  # how a range is found
    embedding_scheme: str = limited("affine", choices=("symmetric", "affine", "even"), neutral="affine")


@dataclass
class Ternary(AwareSettings):
    """Weights of three values, float32 arithmetic."""

    method: str = limited("ternary", choices=("ternary",))
    per: str = limited("group", choices=("tensor", "row", "group"))
    group: int = limited(64, low=2)
    block: int = limited(1, low=1)
    embedding_form: str = limited("affine", choices=("affine", "ternary"))
    embedding_bits: int = limited(4, low=2, high=8)
    head: bool = False


@dataclass
class Pq(QuantizationSettings):
    """Word tables in product codes, other weights in few bits, float32 arithmetic."""

    method: str = limited("pq", choices=("pq",))
    dsub: int = limited(2, choices=(1, 2, 4))  # numbers that share a code
    bits: int = limited(8, low=2, high=8)  # of the weights of linear layers


@dataclass
class DynamicInt8(QuantizationSettings):
    """int8 products; inputs are quantized token by token."""

    method: str = limited("dynamic_int8", choices=("dynamic_int8",))


@dataclass
class StaticInt8(QuantizationSettings):
    """int8 products; inputs are quantized to ranges measured on `rows` training rows."""

    method: str = limited("static_int8", choices=("static_int8",))
    rows: int = limited(128, low=1)
    range: str = limited("minmax", choices=("minmax", "percentile", "entropy"))
    percentile: float = limited(99.99, low=90.0, high=100.0)  # of the values, kept at each end by range=percentile


@dataclass
class Splitquant(QuantizationSettings):
    """Weights in three clusters, each quantized over its own range."""

    method: str = limited("splitquant", choices=("splitquant",))
    bits: int = limited(2, low=2, high=8)
    form: str = limited("dense", choices=("dense", "packed", "whole"))
    per: str = limited("tensor", choices=("tensor", "row", "group"))
    group: int = limited(128, low=2)
    embeddings: bool = False
