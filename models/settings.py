"""The settings of one model; standard library only, because configs are checked before torch is imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def limited(default: Any, **limits: Any) -> Any:
    """A dataclass field with its range in the metadata: low=, high=, above= or choices=."""
    return field(default=default, metadata=limits)


@dataclass
class Recipe:
    """Training defaults that go with a model's size; other config groups read them by interpolation."""

    lr: float = limited(3e-4, above=0.0)
    epochs: float = limited(3.0, above=0.0)
    batch_size: int = limited(32, low=1)


@dataclass
class ModelSettings:
    """embedding x backbone x readout x head. A preset's YAML lists the fields its family knows."""

    name: str = "bert-tiny"
    description: str = ""
    family: str = limited("bert", choices=("bert", "dsn", "auto"))
    layers: int = limited(2, low=1, high=48)
    hidden: int = limited(128, low=1, high=8192)  # width of the token vectors; for dsn before `width`
    heads: int = limited(2, low=1, high=128)
    intermediate: int | None = limited(None, low=1)  # null: 4 x hidden
    positions: int = limited(512, low=8, high=65536)
    segments: int = limited(2, low=1, high=16)
    dropout: float = limited(0.1, low=0.0, high=0.99)
    attention_dropout: float = limited(0.1, low=0.0, high=0.99)
    initializer_range: float = limited(0.02, above=0.0, high=1.0)
    layer_norm_eps: float = limited(1e-12, above=0.0, high=1.0)  # BERT's; a checkpoint's own replaces it
    readout: str = limited("cls", choices=("cls", "mean"))
    width: float = limited(1.0, above=0.0, high=16.0)
    pooling: str = limited("sum", choices=("sum", "mean", "sqrt", "sum_all"))
    token_dropout: float = limited(0.0, low=0.0, high=0.99)
    init: str = limited("random", choices=("random", "slice", "pca"))
    init_from: str | None = None  # a checkpoint whose word vectors start the DSN
    weights: str | None = None  # the published weights of this size
    pretrained: str | None = None
    tokenizer: str = "auto"
    vocab_size: int = limited(4096, low=64, high=1000000)  # of a vocabulary trained by tokenizer=train
    recipe: Recipe = field(default_factory=Recipe)
