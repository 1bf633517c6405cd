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
    """The settings that all methods with integer weights share; tables are affine, with one range for each row."""

    phase: ClassVar[str] = "quantize"
    embeddings: bool = True
    embedding_bits: int = limited(8, low=2, high=8)
    head: bool = True


@dataclass
class WeightOnly(QuantizationSettings):
    """Quantized weights, float32 arithmetic."""

    method: str = limited("weight_only", choices=("weight_only",))
    bits: int = limited(8, low=2, high=8)
    scheme: str = limited("symmetric", choices=("symmetric", "affine"))
    per: str = limited("row", choices=("tensor", "row", "group"))  # what shares a range
    group: int = limited(128, low=2)  # neighbours in a row, where per=group
    clip: float = limited(0.0, low=0.0, high=25.0)  # percent of a range's weights cut off at each end


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
