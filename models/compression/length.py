"""Length-adaptive encoders: deeper layers process fewer tokens, as many as a budget allows.

Training with random lengths makes one model work well at all of them. A search on held-out rows then finds good
lengths for the model, and any of those found can be set in the finished model (lengths/chosen.py).
Sources: Length-Adaptive Transformer, arXiv 2010.07003; Dynamic-TinyBERT, arXiv 2111.09645; QuaLA-MiniLM, arXiv
2210.17114.
"""

from __future__ import annotations

from typing import Any, cast

from torch import nn

from models.backbones.lengths import Lengths, Mode
from models.compression.lengths.choice import CLOSE, kept_choice, rounded_up
from models.compression.lengths.chosen import (
    NO_HEADS,
    check_model,
    encoder_with_lengths,
    fitting,
    has_heads,
    keep_choices,
    set_lengths,
)
from models.compression.lengths.search import front_metrics, search_lengths, shortest_share
from models.compression.lengths.training import LONGEST, LengthHook
from models.compression.settings.length import Length as Options
from models.compression.stage import Stage, StageContext
from models.errors import ModelError
from models.json_types import JsonObject
from models.network import Network

SKETCHED = 0.9  # share of its tokens that each layer keeps in a sketch, before the search


class Length(Stage):
    """The stage; its settings are explained in conf/compression/length.yaml."""

    options: Options

    def check(self, model: nn.Module) -> None:
        """ModelError for a model whose layers cannot drop tokens, and for lengths that do not fit it."""
        check_model(model)
        lengths = self.options.given()
        if lengths is None:
            return
        try:
            lengths.check_fits(len(encoder_with_lengths(model).layer), cast(Network, model).longest_input())
        except ModelError as error:  # as the check of the values alone: with the key
            raise ModelError(f"compression.{self.name}.{error}") from error

    def sketch(self, model: nn.Module) -> None:
        """Let every layer drop a tenth of its tokens, or as the settings' lengths say; none if they keep all."""
        layers, search = len(encoder_with_lengths(model).layer), self.options.search
        keeps_all = search.budget in (None, 1.0) and search.at_most_loss is None  # as `kept_choice` does
        if self.options.given() is None and keeps_all:
            return
        set_lengths(cast(Network, model), self.options.given() or Lengths((SKETCHED,) * layers))

    def run(self, model: Any, context: StageContext) -> nn.Module:
        """Train for the settings' lengths and set them; without any, train for all lengths, search and set the best.

        Raises ModelError if a search could not stay within its budget.
        """
        options, kept = self.options.train, context.load_progress()
        set_lengths(model, None)
        if not has_heads(model):  # an earlier stage may have removed all of them
            context.say(f"{NO_HEADS}: all tokens are kept")
            keep_choices(model, [])
            return cast(nn.Module, model)
        self.check(model)
        self._check_budget(model, context)
        if kept:
            model.load_state_dict(kept[0])
        elif options.epochs:
            hook = LengthHook(context, options, self.options.given())
            context.train(model, hook, phase="lengths", epochs=options.epochs, lr=options.lr)
            context.save_progress(model, {"scores": {}})
        given = self.options.given()
        if given is not None:
            lengths = fitting(model, given)
            if lengths != given:
                context.say(f"lengths {list(lengths.values)}: a layer without heads keeps all tokens")
            keep_choices(model, [])
            set_lengths(model, lengths)
        else:
            self._search(model, context, kept[1]["scores"] if kept else {})
        out: nn.Module = model
        return out

    def _check_budget(self, model: Network, context: StageContext) -> None:
        """ModelError, before the training, if no lengths of the search are within its budget."""
        options, key = self.options.search, f"compression.{self.name}.search"
        if self.options.lengths is not None or options.budget is None:
            return
        longest = model.longest_input() or LONGEST
        least = shortest_share(model, context, options, mode=self.options.mode, longest=longest)
        if least > options.budget + CLOSE:
            raise ModelError(
                f"{key}.budget={options.budget:g}: with {key}.drop={options.drop:g} the shortest lengths take "
                f"{least:.3g} of the full multiply-adds. Try: {key}.budget={rounded_up(least):g}, "
                f"or a larger {key}.drop"
            )

    def _search(self, model: Network, context: StageContext, known: dict[str, float]) -> None:
        """Search lengths and set those that the settings select; known: scores from an interrupted search."""
        mode, options = cast(Mode, self.options.mode), self.options.search
        found = search_lengths(
            model, context, options, mode=mode, longest=model.longest_input() or LONGEST, known=known,
            keep=lambda scores: context.save_progress(model, {"scores": scores}),
        )  # fmt: skip
        if len(found.choices) == 1:  # only full length is left, whatever the budget
            context.say("no shorter lengths are faster on this machine: all tokens are kept")
        chosen = kept_choice(found.choices, options) if len(found.choices) > 1 else found.choices[0]
        keep_choices(model, [choice.to_json() for choice in found.choices], mode)
        set_lengths(model, Lengths(chosen.lengths, mode) if chosen.lengths else None)
        context.add_metrics(front_metrics(found, chosen, mode))
        context.say(f"lengths {list(chosen.lengths) or 'of all tokens'}: {chosen.share:.0%} of the multiply-adds")


def restore(model: nn.Module, entry: JsonObject) -> nn.Module:
    """Give a newly built model the lengths in its config.json; ModelError for invalid values."""
    encoder, values = encoder_with_lengths(model), entry.get("lengths")
    if values is None:
        return model
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        raise ModelError(f"config.json: lengths are {values!r:.80}. Expected a list of numbers, or null")
    lengths = Lengths(tuple(map(float, values)), entry.get("mode", "ratio"))
    lengths.check_fits(len(encoder.layer), cast(Network, model).longest_input())
    encoder.lengths = lengths
    return model
