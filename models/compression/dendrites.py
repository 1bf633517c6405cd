"""Dendrites: small units added one at a time to the neurons of chosen linear layers.

mode=gd trains them with the network. mode=cascor first trains each alone to follow its neuron's error, then freezes it
(Fahlman & Lebiere 1990). mode=random freezes them at random weights. Two modes are controls without dendrites: restart
repeats the same training phases, base stops at once. Gradients pass through dendrites as through any module; the
backward pass is not masked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from models.compression.dendrite.candidates import (
    Sample,
    TrainedDendrite,
    observe_samples,
    random_dendrites,
    shuffled_cache,
    train_candidates,
)
from models.compression.dendrite.growth import Growth, resume_growth
from models.compression.dendrite.module import (
    Dendrite,
    Dendritic,
    add_dendrites,
    attach_dendrites,
    detach_dendrites,
    linear_names,
)
from models.compression.pruning.masks import PRUNED
from models.compression.settings.learn import Dendrites as Options
from models.compression.stage import Inputs, Stage, StageContext
from models.errors import ModelError
from models.json_types import JsonObject
from models.network import reads_apart

CONTROLS = ("restart", "base")  # the modes without dendrites
MOMENTS = "moments/"  # prefix of the optimizer's tensors in saved progress
GD_SPREAD = 0.01  # standard deviation of a gd dendrite's initial weights, as in perforatedai 3.2.9
CHECKED = 64  # rows used to check that a new dendrite changes no logit
SHOWN = 16  # correlations are logged per neuron for at most this many neurons


def restore(model: nn.Module, description: JsonObject) -> nn.Module:
    """Attach the saved model's dendrites to a newly built model; their weights are loaded afterwards."""
    add_dendrites(attach_dendrites(model, description["modules"]), description["count"], description["act"])
    return model


class Dendrites(Stage):
    """The stage; its settings are explained in conf/compression/dendrites.yaml."""

    options: Options

    def check(self, model: nn.Module) -> None:
        """ModelError unless all targets are linear layers without zeros, with inputs that the mode can sample."""
        names = linear_names(model, self.options.targets)
        pruned = set(cast(Any, model).architecture.get(PRUNED, ())).intersection(names)
        if pruned and self.options.mode not in CONTROLS:
            raise ModelError(
                f"compression.{self.name}.targets: training {min(pruned)} with dendrites would undo the zeros of its "
                "pruning. Try: the run before the pruning, or layers without zeros"
            )
        inside = [name for name in names if name.startswith("bert.")]
        if inside and self.options.mode in ("cascor", "random") and reads_apart(model):
            raise ModelError(
                f"compression.{self.name}.mode={self.options.mode} samples the tokens of pairs in {inside[0]}, but a "
                f"bi-encoder encodes their two texts separately. Try: compression.{self.name}.mode=gd, or "
                f"'compression.{self.name}.targets=[classifier]'"
            )

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Add a dendrite and train in each phase; undo the phase if it did not raise the score enough."""
        options = self.options
        names = [] if options.mode in CONTROLS else linear_names(model, options.targets)
        modules = attach_dendrites(model, names)
        growth, moments = self._begin(model, modules, context)
        while growth.should_continue():
            context.save_progress(
                model, growth.state(), {f"{MOMENTS}{name}": moment for name, moment in moments.items()}
            )
            before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
            self._grow(model, modules, context, growth)
            phase = context.train(
                model, phase=f"phase-{growth.attempt}", moments=moments, **growth.phase_changes(context.lr)
            )
            gain = phase.metric - growth.best
            pays = growth.record_score(phase.metric)
            if pays:
                moments = phase.moments
            else:
                for module in modules:
                    del module.dendrites[-1]
                model.load_state_dict(before)
            self._note(context, growth, modules, gain, pays)
        return self._finish(model, names, modules, context, growth)

    def _begin(
        self, model: nn.Module, modules: list[Dendritic], context: StageContext
    ) -> tuple[Growth, dict[str, Tensor]]:
        """The growth state and the optimizer's moments, new or from an interrupted run."""
        kept = context.load_progress()
        if kept is None:
            return Growth(self.options, context.score(model)), {}
        tensors, state = kept
        growth = resume_growth(self.options, state)
        add_dendrites(modules, growth.count, self.options.act)
        moments = {name.removeprefix(MOMENTS): t for name, t in tensors.items() if name.startswith(MOMENTS)}
        model.load_state_dict({name: t for name, t in tensors.items() if not name.startswith(MOMENTS)})
        self._set_trained(modules)
        return growth, moments

    def _grow(self, model: nn.Module, modules: list[Dendritic], context: StageContext, growth: Growth) -> None:
        """Add a dendrite to every module; RuntimeError if that changes a logit."""
        if not modules:
            context.say(f"dendrites: restart {growth.attempt + 1}")
            return
        probe = next(iter(context.batches(rows=CHECKED, batch_size=CHECKED, split="select")))[0]
        logits = _logits(model, probe)
        draw = torch.Generator().manual_seed(_seed(context.seed, growth.attempt))
        for module, dendrite in zip(modules, self._new(model, modules, context, draw)):
            module.dendrites.append(dendrite)
        self._set_trained(modules)
        if not torch.equal(logits, _logits(model, probe)):
            raise RuntimeError("new dendrites changed the network's logits")
        count, extra = len(modules[0].dendrites), _extra(modules)
        context.say(
            f"dendrites: phase {growth.attempt + 1} with {count} ({extra:,} more parameters), mode={self.options.mode}"
        )
        context.log_point(
            {"dendrites/phase": growth.attempt + 1, "dendrites/count": count, "dendrites/params_extra": extra}
        )

    def _new(
        self, model: nn.Module, modules: list[Dendritic], context: StageContext, draw: torch.Generator
    ) -> list[Dendrite]:
        """A new dendrite for each module, made as the mode requires, and not yet part of the network."""
        options = self.options
        if options.mode == "gd":
            return [_small(module, options, draw) for module in modules]
        batches = [batch[:2] for batch in context.batches(rows=options.p_rows, seed=context.seed)]
        order = torch.randperm(len(batches), generator=draw).tolist()  # batches come sorted by length

        def samples() -> Iterator[list[Sample]]:
            return observe_samples(model, modules, context.task, (batches[place] for place in order))

        if options.mode == "random":
            return random_dendrites(modules, samples, options, draw)
        items = len(batches[order[0]][1]["labels"])
        is_by_item = all(len(sample.inputs) == items for sample in next(iter(samples())))
        grown = train_candidates(
            modules, shuffled_cache(samples, options.p_batch_size, draw) if is_by_item else samples, options, draw
        )
        _note_candidates(context, grown)
        return [found.dendrite for found in grown]

    def _set_trained(self, modules: list[Dendritic]) -> None:
        """Freeze dendrites except for their weights to the soma, unless mode=gd trains them with the network."""
        for dendrite in (d for module in modules for d in module.dendrites if self.options.mode != "gd"):
            cast(Dendrite, dendrite).freeze()

    def _note(self, context: StageContext, growth: Growth, modules: list[Dendritic], gain: float, pays: bool) -> None:
        """Print and log the result of a phase."""
        verdict = "kept" if pays else "did not help: undone"
        context.say(f"dendrites: phase {growth.attempt} {gain:+.4f} on the selection split, {verdict}")
        context.log_point({
            "dendrites/phase": growth.attempt, "dendrites/gain": gain, "dendrites/pays": float(pays),
            "dendrites/best": growth.best, "dendrites/count": _count(modules),
            "dendrites/params_extra": _extra(modules),
        })  # fmt: skip

    def _finish(
        self, model: nn.Module, names: list[str], modules: list[Dendritic], context: StageContext, growth: Growth
    ) -> nn.Module:
        """Record the structure for saving; if no dendrite was kept, put the plain layers back."""
        context.say(f"dendrites: {_count(modules)} kept; {growth.stop_reason()}")
        context.add_metrics({
            "dendrites/count": _count(modules), "dendrites/params_extra": _extra(modules),
            "dendrites/phase": growth.attempt, "dendrites/best": growth.best,
        })  # fmt: skip
        for module in modules:
            module.dendrites.requires_grad_(True)
        if not _count(modules):
            detach_dendrites(model, names)
            return model
        description = {"method": "dendrites", "modules": names, "count": _count(modules), "act": self.options.act}
        cast(Any, model).architecture.setdefault("compressed", []).append(description)
        return model


def _seed(seed: int, attempt: int) -> int:
    """The seed of an attempt, so that a second try at the same dendrite draws different weights."""
    return int(np.random.SeedSequence([seed, attempt]).generate_state(1)[0])


def _small(module: Dendritic, options: Options, draw: torch.Generator) -> Dendrite:
    """A dendrite with small random weights, to be trained with the network."""
    dendrite = Dendrite(module.soma, len(module.dendrites), options.act)
    with torch.no_grad():
        for parameter in dendrite.linear.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw) * (options.spread or GD_SPREAD))
    return dendrite


def _logits(model: nn.Module, inputs: Inputs) -> Tensor:
    was_training = model.training
    model.eval()
    with torch.no_grad():
        logits: Tensor = model(**inputs)
    model.train(was_training)
    return logits


def _count(modules: list[Dendritic]) -> int:
    return len(modules[0].dendrites) if modules else 0


def _extra(modules: list[Dendritic]) -> int:
    """The number of parameters that the dendrites add."""
    return sum(p.numel() for module in modules for p in module.dendrites.parameters())


def _note_candidates(context: StageContext, grown: list[TrainedDendrite]) -> None:
    """Print and log the result of candidate training, per neuron if there are few."""
    correlations = torch.cat([found.correlation for found in grown]).abs()
    before = sum(found.untrained for found in grown) / len(grown)
    values = {
        "dendrites/p_epochs": grown[0].epochs,
        "dendrites/p_score": float(torch.cat([found.score for found in grown]).mean()),
        "dendrites/correlation_untrained": before,
        "dendrites/correlation_mean": float(correlations.mean()),
        "dendrites/correlation_min": float(correlations.min()),
        "dendrites/correlation_max": float(correlations.max()),
    }
    if len(correlations) <= SHOWN:
        values |= {f"dendrites/correlation_{index}": float(value) for index, value in enumerate(correlations)}
    context.say(
        f"dendrites: candidates' correlation with the error {before:.3f} -> {values['dendrites/correlation_mean']:.3f} "
        f"in {grown[0].epochs} epochs"
    )
    context.log_point(values)
