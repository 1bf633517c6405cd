"""Dendrites: small units beside the neurons of chosen linear layers, grown one after the other.

gd trains them with the network; cascor trains each by itself to follow its neuron's error and then freezes it (Fahlman
& Lebiere 1990); random freezes them as drawn; restart adds none: the control with the same trainings; base stops at
once. Error signals pass through dendrites as through everything else; nothing of the backward pass is masked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from models.compression.dendrite.candidates import Grown, Sample, cached, draw_random, observe, train_candidates
from models.compression.dendrite.growth import Control, resumed
from models.compression.dendrite.module import Dendrite, Dendritic, attach, detach, grow, linear_names
from models.compression.settings.learn import Dendrites as Options
from models.compression.stage import Inputs, Stage, StageContext

CONTROLS = ("restart", "base")  # the arms without dendrites
MOMENTS = "moments/"  # of what a boundary holds, the optimizer's
GD_SPREAD = 0.01  # of a gd dendrite's first weights; perforatedai 3.2.9's
CHECKED = 64  # rows whose logits a new dendrite must leave as they were
SHOWN = 16  # neurons whose correlations are logged one by one


def restore(model: nn.Module, description: dict[str, Any]) -> nn.Module:
    """`model`, built anew, with the dendrites of a saved one; their weights are to be loaded."""
    grow(attach(model, description["modules"]), description["count"], description["act"])
    return model


class Dendrites(Stage):
    """The stage; `options` are those of conf/compression/dendrites.yaml."""

    options: Options

    def check(self, model: nn.Module) -> None:
        """Targets must be linear layers."""
        linear_names(model, self.options.targets)

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Phase after phase: a new dendrite, a training, and back to the model before where that did not pay."""
        options = self.options
        names = [] if options.mode in CONTROLS else linear_names(model, options.targets)
        modules = attach(model, names)
        control, moments = self._begin(model, modules, context)
        while control.goes_on():
            context.save_progress(
                model, control.state(), {f"{MOMENTS}{name}": moment for name, moment in moments.items()}
            )
            before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
            self._grow(model, modules, context, control)
            phase = context.train(model, phase=f"phase-{control.attempt}", moments=moments, **control.phase(context.lr))
            gain = phase.metric - control.best
            pays = control.observe(phase.metric)
            if pays:
                moments = phase.moments
            else:
                for module in modules:
                    del module.dendrites[-1]
                model.load_state_dict(before)
            self._note(context, control, modules, gain, pays)
        return self._finish(model, names, modules, context, control)

    def _begin(
        self, model: nn.Module, modules: list[Dendritic], context: StageContext
    ) -> tuple[Control, dict[str, Tensor]]:
        """The control and the optimizer's moments, new or as an interrupted run left them."""
        kept = context.load_progress()
        if kept is None:
            return Control(self.options, context.score(model)), {}
        tensors, state = kept
        control = resumed(self.options, state)
        grow(modules, control.count, self.options.act)
        moments = {name.removeprefix(MOMENTS): t for name, t in tensors.items() if name.startswith(MOMENTS)}
        model.load_state_dict({name: t for name, t in tensors.items() if not name.startswith(MOMENTS)})
        self._set_trained(modules)
        return control, moments

    def _grow(self, model: nn.Module, modules: list[Dendritic], context: StageContext, control: Control) -> None:
        """One more dendrite for every module; raises RuntimeError if that moved an output."""
        if not modules:
            context.say(f"dendrites: restart {control.attempt + 1}")
            return
        probe = next(iter(context.batches(rows=CHECKED, batch_size=CHECKED, split="select")))[0]
        logits = _logits(model, probe)
        draw = torch.Generator().manual_seed(_seed(context.seed, control.attempt))
        for module, dendrite in zip(modules, self._new(model, modules, context, draw)):
            module.dendrites.append(dendrite)
        self._set_trained(modules)
        if not torch.equal(logits, _logits(model, probe)):
            raise RuntimeError("the network's outputs moved while dendrites were made")
        count, extra = len(modules[0].dendrites), _extra(modules)
        context.say(
            f"dendrites: phase {control.attempt + 1} with {count} ({extra:,} parameters more), mode={self.options.mode}"
        )
        context.log_point(
            {"dendrites/phase": control.attempt + 1, "dendrites/count": count, "dendrites/params_extra": extra}
        )

    def _new(
        self, model: nn.Module, modules: list[Dendritic], context: StageContext, draw: torch.Generator
    ) -> list[Dendrite]:
        """A dendrite for each module, as the mode makes them; none is part of the network yet."""
        options = self.options
        if options.mode == "gd":
            return [_small(module, options, draw) for module in modules]
        batches = [batch[:2] for batch in context.batches(rows=options.p_rows, seed=context.seed)]
        order = torch.randperm(len(batches), generator=draw).tolist()  # they come sorted by length

        def samples() -> Iterator[list[Sample]]:
            return observe(model, modules, context.kind, (batches[place] for place in order), context.scale)

        if options.mode == "random":
            return draw_random(modules, samples, options, draw)
        is_by_row = all(len(s.inputs) == len(batches[order[0]][1]) for s in next(iter(samples())))
        grown = train_candidates(
            modules, cached(samples, options.p_batch_size, draw) if is_by_row else samples, options, draw
        )
        _note_candidates(context, grown)
        return [found.dendrite for found in grown]

    def _set_trained(self, modules: list[Dendritic]) -> None:
        """gd trains dendrites with the network; elsewhere they stay as they were made, but for the way to the soma."""
        for dendrite in (d for module in modules for d in module.dendrites if self.options.mode != "gd"):
            cast(Dendrite, dendrite).freeze()

    def _note(self, context: StageContext, control: Control, modules: list[Dendritic], gain: float, pays: bool) -> None:
        """A line and a point on a phase that is over."""
        verdict = "kept" if pays else "did not pay: back to the model before"
        context.say(f"dendrites: phase {control.attempt} {gain:+.4f} on the selection split, {verdict}")
        context.log_point({
            "dendrites/phase": control.attempt, "dendrites/gain": gain, "dendrites/pays": float(pays),
            "dendrites/best": control.best, "dendrites/count": _count(modules),
            "dendrites/params_extra": _extra(modules),
        })  # fmt: skip

    def _finish(
        self, model: nn.Module, names: list[str], modules: list[Dendritic], context: StageContext, control: Control
    ) -> nn.Module:
        """Note the structure for the saved folder; a model that got no dendrite is the plain one again."""
        context.say(f"dendrites: {_count(modules)} kept; {control.end()}")
        context.add_metrics({
            "dendrites/count": _count(modules), "dendrites/params_extra": _extra(modules),
            "dendrites/phase": control.attempt, "dendrites/best": control.best,
        })  # fmt: skip
        for module in modules:
            module.dendrites.requires_grad_(True)
        if not _count(modules):
            detach(model, names)
            return model
        description = {"method": "dendrites", "modules": names, "count": _count(modules), "act": self.options.act}
        cast(Any, model).architecture.setdefault("compressed", []).append(description)
        return model


def _seed(seed: int, attempt: int) -> int:
    """For what is drawn in an attempt: a second try at the same dendrite draws others."""
    return int(np.random.SeedSequence([seed, attempt]).generate_state(1)[0])


def _small(module: Dendritic, options: Options, draw: torch.Generator) -> Dendrite:
    """A dendrite with small weights all over, for the network's own training."""
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
    """Parameters that the dendrites add."""
    return sum(p.numel() for module in modules for p in module.dendrites.parameters())


def _note_candidates(context: StageContext, grown: list[Grown]) -> None:
    """A line and a point on candidates that are trained; neurons one by one where they are few."""
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
