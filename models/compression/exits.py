"""Early exits: easy texts leave the encoder at a lower layer, as soon as the answer there is certain enough.

    run 'compression=[exits]' from=<run id>
    run 'compression=[exits]' compression.exits.at_most_loss=0.01 from=<run id>

The exits are fitted on a sample of the training rows. Their thresholds are calibrated on the selection split, or on
the rows that data.calibration sets aside.
Sources: DeeBERT (arXiv 2004.12993), PABEE (arXiv 2006.04152), BERxiT (EACL 2021).
"""

from __future__ import annotations

import math
from dataclasses import replace

from torch import nn

from models.compression import settings
from models.compression.exiting.calibrate import Found, calibrate, fewest_rows
from models.compression.exiting.fit import fit_doubt, fit_exits
from models.compression.exiting.hooks import ExitsHook
from models.compression.exiting.states import see
from models.compression.methods import is_quantized
from models.compression.quantization.stage import record_method
from models.compression.stage import Stage, StageContext
from models.errors import ModelError
from models.half import is_half
from models.heads.exits import Exits as ExitsModule
from models.heads.exits import attach_exits, detach_exits, require_layers
from models.heads.linear import LinearHead
from models.json_types import JsonObject


class Exits(Stage):
    """Add exits to a trained encoder, and calibrate when a text may leave at them."""

    options: settings.Exits

    def check(self, model: nn.Module) -> None:
        """ModelError for models that cannot have these exits."""
        layers, options, key = require_layers(model, self.name), self.options, f"compression.{self.name}"
        assert isinstance(model, LinearHead), "checked"
        if options.after and options.after[-1] >= layers:
            raise ModelError(
                f"{key}.after={options.after}: an exit after layer {options.after[-1]} of {layers} leaves nothing out. "
                f"Try: '{key}.after={list(range(1, layers))}'"
            )
        self._check_patience(model, len(options.after or range(1, layers)))
        if is_quantized(model.architecture) and options.form != "frozen":
            raise ModelError(
                f"{key}.form={options.form} trains the encoder, but its weights are quantized. Try: {key}.form=frozen"
            )
        self._check_numbers(model)

    def _check_patience(self, model: LinearHead, exits: int) -> None:
        """ModelError if the model has too few exits for rule=patience: fewer than two, or than its threshold needs."""
        options, key = self.options, f"compression.{self.name}"
        if options.rule != "patience":
            return
        if exits < 2:
            other = "confidence" if model.spec.outputs > 1 else "learned"
            raise ModelError(f"{key}.rule=patience compares two exits, but there is one. Try: {key}.rule={other}")
        if options.threshold is not None and options.threshold >= exits:
            raise ModelError(
                f"{key}.threshold={options.threshold:g}: a patience below the number of exits, {exits}, is needed. "
                f"Try: {key}.threshold={min(2, exits - 1)}"
            )

    def _check_numbers(self, model: LinearHead) -> None:
        """ModelError for rules and guarantees that need classes, if the model is a regressor."""
        options, key = self.options, f"compression.{self.name}"
        if model.spec.outputs > 1:
            return
        if options.rule in ("confidence", "entropy"):
            raise ModelError(
                f"{key}.rule={options.rule} is for classes, but this model predicts numbers. Try: {key}.rule=learned"
            )
        if options.guarantee != "none":
            raise ModelError(
                f"{key}.guarantee={options.guarantee} counts wrong answers, but this model predicts numbers. "
                f"Try: {key}.guarantee=none"
            )

    def check_rows(self, rows: int, why_not: str) -> None:
        """ModelError if a threshold cannot be calibrated on the calibration rows."""
        options, key = self.options, f"compression.{self.name}"
        if options.threshold is not None:
            return
        if why_not:
            raise ModelError(f"{key} calibrates a threshold, but {why_not}. Try: {key}.threshold=0.95")
        if options.guarantee == "none":
            return
        fewest = 2 * fewest_rows(options.at_most_loss, options.delta)
        if rows < fewest:
            raise ModelError(
                f"{key}.at_most_loss={options.at_most_loss:g} needs at least {fewest:,} rows, half of them for "
                f"temperatures, but there are {rows:,}. Try: {key}.guarantee=none"
            )

    def sketch(self, model: nn.Module) -> None:
        """Add one exit, where every text leaves after half of the layers."""
        layers = require_layers(model, self.name)
        assert isinstance(model, LinearHead), "checked"
        options = replace(self.options, after=[(layers + 1) // 2])
        attach(model, vars(options)).thresholds.fill_(-math.inf)  # of any rule
        record_method(model, options)  # needed to open the saved model

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Fit or train the exits, calibrate them, and record the settings that restore them."""
        assert isinstance(model, LinearHead), "checked"
        self.check(model)  # again: an earlier stage may have quantized it
        options, layers = self.options, require_layers(model, self.name)
        detach_exits(model)
        places = options.after or range(1, layers)
        exits = attach(
            model, {"after": list(places), "rule": options.rule, "reads": options.reads, "within": options.within}
        )
        if options.form != "frozen":
            hook = ExitsHook(model, exits, options, context, layers)
            context.train(model, hook, phase="exits", epochs=options.epochs, lr=options.lr or context.lr)
        model.eval()
        sample = see(model, exits, context, rows=options.rows, split="train")
        if options.form == "frozen":
            fit_exits(exits, sample, options.soft)
        fit_doubt(exits, sample)
        held_out = see(model, exits, context, rows=None, split="calibration")
        found = calibrate(
            exits, held_out, layers, options, context, in_half=is_half(model.architecture),
            key=f"compression.{self.name}",
        )  # fmt: skip
        record_method(model, replace(options, after=list(places)))
        self._tell(found, layers, context)
        return model

    def _tell(self, found: Found, layers: int, context: StageContext) -> None:
        """Report the threshold's effect on the rows that it was calibrated on."""
        facts = {
            "exits/threshold": found.value, "exits/rows": float(found.rows), "exits/lost": found.loss,
            "exits/lost_low": found.low, "exits/lost_high": found.high,
        }  # fmt: skip
        context.add_metrics({name: value for name, value in facts.items() if math.isfinite(value)})
        if found.layers == layers:
            context.say(
                f"exits: no {self.options.rule} threshold loses so little; all texts go through all {layers} layers"
            )
            return
        by = "certified" if self.options.guarantee != "none" else "an estimate without a guarantee"
        unit = "% of the labels' variance" if math.isnan(found.low) else "points"  # found.low: NaN for numbers
        change = f"{'loses' if found.loss >= 0 else 'gains'} {100 * abs(found.loss):.2f} {unit} there"
        context.say(
            f"exits: at {self.options.rule} {found.value:.4g} the {found.rows:,} calibration rows go through "
            f"{found.layers:.2f} of {layers} layers on average; leaving early {change}, {by}"
        )


def attach(model: LinearHead, entry: JsonObject) -> ExitsModule:
    """Attach the exits that an entry of config.json describes, without their weights."""
    reads = entry["reads"]
    return attach_exits(
        model, entry["after"], rule=entry["rule"], reads=None if reads == "auto" else reads, within=entry["within"]
    )


def restore(model: LinearHead, description: JsonObject) -> LinearHead:
    """Attach the saved model's exits to a newly built model; their weights and thresholds are loaded afterwards."""
    layers, after = require_layers(model, "exits"), description["after"]
    if not all(isinstance(layer, int) and 0 < layer < layers for layer in after):
        raise ModelError(f"config.json has exits after {after!r:.80} of {layers} layers. Download it again")
    options = settings.Exits(**description)
    attach(model, {**description, "rule": options.rule, "reads": options.reads, "within": options.within})
    return model
