"""The settings of the quantization methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from models.compression.settings.stage import StageSettings
from models.settings import limited

EVEN = "even"  # the scheme of a grid that cannot represent 0
TABLES = ("embedding_bits", "embedding_block", "embedding_group")
AWARE = (
    "qat_epochs", "qat_lr", "qat_step_lr", "qat_weight_decay", "qat_dropout", "qat_soft", "qat_states", "qat_hold",
)  # fmt: skip


def sizes_without_effect(per: str) -> dict[str, str]:
    """The sizes of groups and of blocks of rows that have no effect where `per` shares a range."""
    found = {} if per == "group" else {"group": "per=group"}
    return found | ({"block": "per=row"} if per == "tensor" else {})


@dataclass
class Bf16(StageSettings):
    """Weights and arithmetic in bfloat16; no options."""

    phase: ClassVar[str] = "quantize"
    method: str = limited("bf16", choices=("bf16",))


@dataclass
class QuantizationSettings(StageSettings):
    """The settings that all methods with integer weights share. By default, tables are affine, one range per row.

    embedding_block: how many neighbouring table rows share a range. embedding_group: how many neighbouring values in a
    row share a range; 0: all of them.
    """

    phase: ClassVar[str] = "quantize"
    embeddings: bool = True
    embedding_bits: int = limited(8, low=2, high=8)
    embedding_block: int = limited(1, low=1, neutral=1)
    embedding_group: int = limited(0, low=0, neutral=0)
    head: bool = True

    def without_effect(self) -> dict[str, str]:
        """The options of tables, if none is quantized."""
        return {} if self.embeddings else dict.fromkeys(TABLES, "embeddings=true")


@dataclass
class AwareSettings(QuantizationSettings):
    """The settings of methods that support quantization-aware training (qat) of the weights and their ranges.

    tables: which look-up tables are quantized. rest: how everything that is not quantized is stored, including steps.
    """

    tables: str = limited("all", choices=("all", "words"), neutral="all")
    rest: str = limited("fp32", choices=("fp32", "fp16"), neutral="fp32")
    qat: bool = limited(False, neutral=False)
    qat_epochs: float = limited(1.0, above=0.0, high=100000.0, neutral=1.0)
    qat_lr: float | None = limited(None, above=0.0, neutral=None)  # None: the run's
    qat_step_lr: float | None = limited(None, above=0.0, neutral=None)  # None: the same as for the weights
    qat_weight_decay: float | None = limited(None, low=0.0, neutral=None)  # None: the run's
    qat_dropout: bool = limited(True, neutral=True)
    qat_soft: float = limited(0.0, low=0.0, high=1.0, neutral=0.0)  # loss weight of the float model's answers
    qat_states: float = limited(0.0, low=0.0, neutral=0.0)  # loss weight of the float model's states
    qat_hold: float = limited(0.0, low=0.0, high=1.0, neutral=0.0)  # final share of the steps, with fixed ranges

    def without_effect(self) -> dict[str, str]:
        """The options of quantization-aware training without it, and those of tables, if none is quantized."""
        found = super().without_effect() | ({} if self.embeddings else {"tables": "embeddings=true"})
        return found if self.qat else found | dict.fromkeys(AWARE, "qat=true")


@dataclass
class WeightOnly(AwareSettings):
    """Quantized weights, float32 arithmetic."""

    method: str = limited("weight_only", choices=("weight_only",))
    bits: int = limited(8, low=2, high=8)
    scheme: str = limited("symmetric", choices=("symmetric", "affine", "even"))
    per: str = limited("row", choices=("tensor", "row", "group"))  # what shares a range
    group: int = limited(128, low=2)  # neighbouring weights in a row that share a range, if per=group
    block: int = limited(1, low=1, neutral=1)  # neighbouring rows that share a range, if per=row or per=group
    clip: float = limited(0.0, low=0.0, high=25.0)  # percent of a range's weights that are clipped at each end
    fit: str = limited("extremes", choices=("extremes", "least_error"), neutral="extremes")  # how a range is found
    embedding_scheme: str = limited("affine", choices=("symmetric", "affine", "even"), neutral="affine")

    def without_effect(self) -> dict[str, str]:
        """The options of the base class, and the sizes of groups and blocks that `per` does not use."""
        found = super().without_effect() | sizes_without_effect(self.per)
        return found if self.embeddings else found | {"embedding_scheme": "embeddings=true"}

    def with_zero(self, name: str) -> str:
        """The settings that replace scheme=even, which has no zero, as typed in a command; "" if no scheme is even.

        A scheme that has a zero is not named, as not every preset has a key for the scheme of tables. name: the stage's
        name in the chain.
        """
        found = {"scheme=symmetric": self.scheme, "embedding_scheme=affine": self.embedding_scheme}
        if not self.embeddings:
            del found["embedding_scheme=affine"]
        return " ".join(f"compression.{name}.{word}" for word, chosen in found.items() if chosen == EVEN)


@dataclass
class Ternary(AwareSettings):
    """Ternary weights, float32 arithmetic."""

    method: str = limited("ternary", choices=("ternary",))
    per: str = limited("group", choices=("tensor", "row", "group"))
    group: int = limited(64, low=2)
    block: int = limited(1, low=1)
    embedding_form: str = limited("affine", choices=("affine", "ternary"))
    embedding_bits: int = limited(4, low=2, high=8)
    head: bool = False

    def without_effect(self) -> dict[str, str]:
        """The options of the base class, the sizes that `per` does not use, and those of affine tables if none is."""
        found = sizes_without_effect(self.per) | super().without_effect()
        if not self.embeddings:
            return found | {"embedding_form": "embeddings=true"}
        return found if self.embedding_form == "affine" else dict.fromkeys(TABLES, "embedding_form=affine") | found


@dataclass
class Pq(QuantizationSettings):
    """Product-quantized word tables, other weights in few bits, float32 arithmetic."""

    method: str = limited("pq", choices=("pq",))
    dsub: int = limited(2, choices=(1, 2, 4))  # values that share a code
    bits: int = limited(8, low=2, high=8)  # of the weights of linear layers

    def without_effect(self) -> dict[str, str]:
        """The options of tables, if none is quantized."""
        return super().without_effect() | ({} if self.embeddings else {"dsub": "embeddings=true"})


@dataclass
class DynamicInt8(QuantizationSettings):
    """Int8 matrix products; inputs are quantized token by token."""

    method: str = limited("dynamic_int8", choices=("dynamic_int8",))


@dataclass
class StaticInt8(QuantizationSettings):
    """Int8 matrix products; inputs are quantized to ranges measured on `rows` training rows."""

    method: str = limited("static_int8", choices=("static_int8",))
    rows: int = limited(128, low=1)
    range: str = limited("minmax", choices=("minmax", "percentile", "entropy"))
    percentile: float = limited(99.99, low=90.0, high=100.0)  # range=percentile clips (100 - this) % at each end

    def without_effect(self) -> dict[str, str]:
        """The percentile unless range=percentile, and the options of tables, if none is quantized."""
        found = super().without_effect()
        return found if self.range == "percentile" else found | {"percentile": "range=percentile"}


@dataclass
class Splitquant(QuantizationSettings):
    """Weights in three clusters, each quantized over its own range."""

    method: str = limited("splitquant", choices=("splitquant",))
    bits: int = limited(2, low=2, high=8)
    form: str = limited("dense", choices=("dense", "packed", "whole"))
    per: str = limited("tensor", choices=("tensor", "row", "group"))
    group: int = limited(128, low=2)
    embeddings: bool = False

    def without_effect(self) -> dict[str, str]:
        """The size of groups unless per=group, and the options of tables, if none is quantized."""
        return super().without_effect() | ({} if self.per == "group" else {"group": "per=group"})
