"""ZipLM: removes heads, neurons and whole sublayers until the encoder reaches a target speed on this machine.

In each sublayer, Optimal Brain Surgeon chooses what to remove and refits the rest. A table of measured latencies and a
search decide how much of each sublayer to remove. Pruning takes one or more steps; each may be followed by distillation
from the dense model. The parts are in structured/.
Source: Kurtic, Frantar & Alistarh 2023, ZipLM, arXiv 2302.04089.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import nn

from models.compression.pruning.masks import PRUNED
from models.compression.settings.pruning import Ziplm as Options
from models.compression.stage import Inputs, Stage, StageContext, Stopwatch, Targets, TaskView
from models.compression.structured.blocks import replaced_layers
from models.compression.structured.layer_widths import record_widths, restore, widths
from models.compression.structured.recovery import RecoveryHook
from models.compression.structured.search import Choices, search_weights, solve_knapsack
from models.compression.structured.speed_model import SpeedModel
from models.compression.structured.surgery import Surgery
from models.errors import ModelError
from models.network import Network, reads_apart

ATTEMPTS = 4  # most models to cut and time until one is within the tolerance


class CutModel(NamedTuple):
    """A model cut to these widths, with its predicted and measured speed-ups."""

    model: Network
    widths: list[int]
    predicted: float
    measured: float


class Ziplm(Stage):
    """The stage; its settings are explained in conf/compression/ziplm.yaml."""

    options: Options

    def check(self, model: nn.Module) -> None:
        """ModelError unless the encoder reads whole rows, in blocks of a known kind, of the length to be timed."""
        self._check_layers(model)
        if PRUNED in cast(Network, model).architecture:
            raise ModelError(
                f"compression=[{self.name}] refits weights, which would undo the zeros of this pruned model. "
                "Try: the run before its pruning"
            )
        if reads_apart(model):
            raise ModelError(
                f"compression=[{self.name}] measures what the tokens of a row contribute, but a bi-encoder encodes the "
                "two texts of a row separately. Try: 'compression=[magnitude]', or model/readout=mean"
            )
        longest = cast(Network, model).longest_input()
        if longest is not None and self.options.length > longest:
            raise ModelError(
                f"compression.{self.name}.length={self.options.length} tokens would be timed, but this model takes "
                f"{longest} at most. Try: compression.{self.name}.length={longest}"
            )

    def _check_layers(self, model: nn.Module) -> None:
        """ModelError unless the blocks are of a known kind, with layers whose rows and columns can be removed."""
        replaced = next(replaced_layers(model), None)
        if replaced is not None:
            raise ModelError(
                f"compression=[{self.name}] removes rows and columns of plain linear layers, but this model has a "
                f"{replaced}. Try: the run before it"
            )

    def check_speed(self, model: nn.Module, stopwatch: Stopwatch) -> None:
        """ModelError if the target speed is out of reach."""
        SpeedModel(cast(Network, model), stopwatch, self.options, name=self.name).target_speedup()

    def run(self, model: Any, context: StageContext) -> nn.Module:
        """Prune in steps; ModelError if an earlier stage has put the target out of reach."""
        self._check_layers(model)  # again: an earlier stage may have replaced some
        options, dense = self.options, copy.deepcopy(model).eval()
        kept, done = context.load_progress(), 0
        speed = SpeedModel(dense, context, options, kept[1].get("speed") if kept else None, self.name)
        context.record_fact("speed_table", speed.table.digest)
        target = speed.target_speedup()
        if kept:
            done = kept[1]["step"]
            restore(model, kept[1]).load_state_dict(kept[0])
            record_widths(model)  # without a further cut, nothing else would
        for step in range(max(done, 1), options.steps + 1):
            if step > done:
                model = self._prune(model, speed, target ** (step / options.steps), context)
                context.save_progress(model, {"step": step, "layers": widths(model), "speed": speed.table.content})
            if options.recovery.epochs:
                hook = RecoveryHook(dense, context, options.recovery)
                epochs, lr = options.recovery.epochs, options.recovery.lr
                context.train(model, hook, phase=f"recovery-{step}", epochs=epochs, lr=lr)
        context.add_metrics({"structure/speedup_target": target, "structure/speedup": speed.speedup(model)})
        out: nn.Module = model
        return out

    def _prune(self, model: Network, speed: SpeedModel, speedup: float, context: StageContext) -> Network:
        """A cut copy of the model, `speedup` times as fast as the dense model."""
        options = self.options
        texts = context.batches(rows=options.calibration_rows, seed=context.seed)
        surgery = Surgery(model, (inputs for inputs, _, _ in texts))
        choices = [speed.choices(model, sublayer, surgery.plans.get(sublayer)) for sublayer in surgery.sublayers]
        tested = [batch[:2] for batch in context.batches(rows=options.search.rows, seed=context.seed)]

        def loss(levels: Sequence[int]) -> float:
            return task_loss(surgery.cut(widths_at(choices, levels)), tested, context.task)

        weights = search_weights(choices, speed.time_budget(speedup), loss, options.search.steps, context.seed)
        found = self._cut_to_speedup(surgery, choices, weights, speed, speedup)
        heads, neurons = found.widths[::2], found.widths[1::2]
        context.say(f"heads {heads}, neurons {neurons}: {found.measured:.2f}x as fast ({speedup:.2f}x asked for)")
        errors = surgery.errors(found.widths) or [(0.0, 0.0)]
        refitted, deleted = np.array(errors).T
        context.add_metrics({
            "structure/heads": sum(heads),
            "structure/neurons": sum(neurons),
            "structure/speedup_predicted": found.predicted,
            "structure/layer_error_mean": float(refitted.mean()),
            "structure/layer_error_max": float(refitted.max()),
            "structure/layer_error_deleted_mean": float(deleted.mean()),
        })  # fmt: skip
        return found.model

    def _cut_to_speedup(
        self, surgery: Surgery, choices: list[Choices], weights: np.ndarray, speed: SpeedModel, speedup: float
    ) -> CutModel:
        """The cut model whose measured speed-up is closest to the requested one.

        Each attempt corrects the time budget by the measured time of the previous cut.
        """
        goal = budget = speed.time_budget(speedup)
        tried = list[CutModel]()
        while len(tried) < ATTEMPTS and (levels := solve_knapsack(choices, weights, budget)):
            sizes = widths_at(choices, levels)
            model = surgery.cut(sizes)
            spent = sum(float(choice.times[level]) for choice, level in zip(choices, levels))
            tried.append(CutModel(model, sizes, speed.predicted_speedup(spent), speed.cached_speedup(model)))
            took = speed.time_budget(tried[-1].measured)
            if abs(tried[-1].measured / speedup - 1) <= self.options.tolerance or took <= 0 or spent <= 0:
                break
            budget = goal * spent / took
        return min(tried, key=lambda cut: abs(math.log(cut.measured / speedup)))


def widths_at(choices: Sequence[Choices], levels: Sequence[int]) -> list[int]:
    """The width of each sublayer at these levels."""
    return [choice.widths[level] for choice, level in zip(choices, levels, strict=True)]


@torch.no_grad()
def task_loss(model: nn.Module, batches: Sequence[tuple[Inputs, Targets]], task: TaskView) -> float:
    """The task's mean loss over the items of some batches."""
    model.eval()
    total, items = 0.0, 0
    for inputs, targets in batches:
        output = model(**inputs).float()
        total, items = total + float(task.loss(output, targets)) * len(output), items + len(output)
    return total / items
