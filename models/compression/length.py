"""Length-adaptive encoders: deeper layers compute fewer tokens, as many as a budget allows.

A training with random lengths makes one model good at all of them; which lengths suit the model is searched on
rows that were held out, and any of those found can be set in the finished model (lengths/chosen.py).
Sources: Length-Adaptive Transformer, arXiv 2010.07003; Dynamic-TinyBERT, arXiv 2111.09645; QuaLA-MiniLM, arXiv
2210.17114.
"""

from __future__ import annotations

from typing import Any, cast

from torch import nn

from models.backbones.lengths import Lengths
from models.compression.lengths.chosen import check_model, encoder_with_lengths, set_lengths
from models.compression.lengths.training import LengthHook
from models.compression.settings.length import Length as Options
from models.compression.stage import Stage, StageContext
from models.errors import ModelError
from models.json_types import JsonObject
from models.network import Network


class Length(Stage):
    """The stage; its settings are explained in conf/compression/length.yaml."""

    options: Options

    def check(self, model: nn.Module) -> None:
        """ModelError for a model whose layers cannot drop tokens, and for lengths that do not fit it."""
        check_model(model)
        if lengths := self.given():
            lengths.check_fits(len(encoder_with_lengths(model).layer), cast(Network, model).longest_input())

    def given(self) -> Lengths | None:
        """The lengths of the settings; ModelError for impossible ones."""
        return Lengths(tuple(self.options.lengths), cast(Any, self.options.mode)) if self.options.lengths else None

    def run(self, model: Any, context: StageContext) -> nn.Module:
        """Train for all lengths, then set those of the settings."""
        self.check(model)  # again: an earlier stage may have removed heads
        options = self.options.train
        set_lengths(model, None)
        if options.epochs:
            context.train(model, LengthHook(context, options), phase="lengths", epochs=options.epochs, lr=options.lr)
        set_lengths(model, self.given())
        out: nn.Module = model
        return out


def restore(model: nn.Module, entry: JsonObject) -> nn.Module:
    """Give a freshly built model the lengths of its config.json; ModelError for values that mean nothing."""
    encoder, values = encoder_with_lengths(model), entry.get("lengths")
    if values is None:
        return model
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        raise ModelError(f"config.json: lengths are {values!r:.80}. Expected a list of numbers, or null")
    lengths = Lengths(tuple(map(float, values)), entry.get("mode", "ratio"))
    lengths.check_fits(len(encoder.layer), cast(Network, model).longest_input())
    encoder.lengths = lengths
    return model
