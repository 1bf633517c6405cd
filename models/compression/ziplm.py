"""Remove heads, neurons and whole halves of layers until the encoder is as fast as asked, by this machine's own clock.

Layer by layer, optimal brain surgery says what can go and mends the rest; a table of measured latencies and a search
say how much each layer gives. One-shot, or in steps with training towards the dense model after each. Its parts are in
structure/.
Source: Kurtic, Frantar & Alistarh 2023, ZipLM, arXiv 2302.04089.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.compression.distillation.losses import regression_loss
from models.compression.settings.pruning import Ziplm as Options
from models.compression.stage import Inputs, Stage, StageContext, Stopwatch
from models.compression.structured.layer_widths import encoder_of, restore, widths
from models.compression.structured.recovery import TowardsDense
from models.compression.structured.search import Choices, search, solve
from models.compression.structured.speed_model import Clock
from models.compression.structured.surgery import Surgery

ATTEMPTS = 4  # configurations that are cut and timed until one is within the tolerance


class Cut(NamedTuple):
    """A model that was cut to the widths, and the speed-up that it was predicted to have and has."""

    model: Any
    widths: list[int]
    predicted: float
    measured: float


class Ziplm(Stage):
    """The stage; `options` are those of conf/compression/ziplm.yaml."""

    options: Options

    def check(self, model: nn.Module) -> None:
        """There must be an encoder of ours."""
        encoder_of(model)

    def check_speed(self, model: nn.Module, stopwatch: Stopwatch) -> None:
        """The target must be within reach."""
        Clock(model, stopwatch, self.options).target()

    def run(self, model: Any, context: StageContext) -> nn.Module:
        """Raises ModelError where a stage before this one has put the target out of reach."""
        options, dense = self.options, copy.deepcopy(model).eval()
        kept, done = context.load_progress(), 0
        clock = Clock(dense, context, options, kept[1].get("speed") if kept else None)
        context.record_fact("speed_table", clock.table.digest)
        target = clock.target()
        if kept:
            done = kept[1]["step"]
            restore(model, kept[1]).load_state_dict(kept[0])
        for step in range(max(done, 1), options.steps + 1):
            if step > done:
                model = self._prune(model, clock, target ** (step / options.steps), context)
                context.save_progress(model, {"step": step, "layers": widths(model), "speed": clock.table.content})
            if options.recovery.epochs:
                hook = TowardsDense(dense, context, options.recovery)
                epochs, lr = options.recovery.epochs, options.recovery.lr
                context.train(model, hook, phase=f"recovery-{step}", epochs=epochs, lr=lr)
        context.add_metrics({"structure/speedup_target": target, "structure/speedup": clock.speedup(model)})
        out: nn.Module = model
        return out

    def _prune(self, model: Any, clock: Clock, speedup: float, context: StageContext) -> Any:
        """A cut copy of the model that is `speedup` times as fast as the dense one."""
        options = self.options
        texts = context.batches(rows=options.calibration_rows, seed=context.seed)
        surgery = Surgery(model, (inputs for inputs, _, _ in texts))
        choices = [clock.choices(model, block, surgery.halves.get(block)) for block in surgery.blocks]
        tested = [
            (inputs, labels) for inputs, labels, _ in context.batches(rows=options.search.rows, seed=context.seed)
        ]

        def loss(levels: Sequence[int]) -> float:
            return task_loss(surgery.cut(chosen(choices, levels)), tested, context.kind, context.scale)

        weights = search(choices, clock.budget(speedup), loss, options.search.steps, context.seed)
        found = self._meet(surgery, choices, weights, clock, speedup)
        heads, neurons = found.widths[::2], found.widths[1::2]
        context.say(f"heads {heads}, neurons {neurons}: {found.measured:.2f}x as fast, {speedup:.2f}x was asked for")
        errors = surgery.errors(found.widths) or [(0.0, 0.0)]
        mended, deleted = np.array(errors).T
        context.add_metrics({
            "structure/heads": sum(heads),
            "structure/neurons": sum(neurons),
            "structure/speedup_predicted": found.predicted,
            "structure/layer_error_mean": float(mended.mean()),
            "structure/layer_error_max": float(mended.max()),
            "structure/layer_error_deleted_mean": float(deleted.mean()),
        })  # fmt: skip
        return found.model

    def _meet(self, surgery: Surgery, choices: list[Choices], weights: np.ndarray, clock: Clock, speedup: float) -> Cut:
        """The cut whose measured speed-up is nearest to that asked for.

        The next try's budget is the goal's, corrected by what the halves of the last one turned out to take.
        """
        goal = budget = clock.budget(speedup)
        tried = list[Cut]()
        while len(tried) < ATTEMPTS and (levels := solve(choices, weights, budget)):
            sizes = chosen(choices, levels)
            model = surgery.cut(sizes)
            spent = sum(float(choice.times[level]) for choice, level in zip(choices, levels))
            tried.append(Cut(model, sizes, clock.predicted(spent), clock.settled(model)))
            took = clock.budget(tried[-1].measured)
            if abs(tried[-1].measured / speedup - 1) <= self.options.tolerance or took <= 0 or spent <= 0:
                break
            budget = goal * spent / took
        return min(tried, key=lambda cut: abs(math.log(cut.measured / speedup)))


def chosen(choices: Sequence[Choices], levels: Sequence[int]) -> list[int]:
    """The widths of these levels."""
    return [choice.widths[level] for choice, level in zip(choices, levels, strict=True)]


@torch.no_grad()
def task_loss(model: nn.Module, batches: Sequence[tuple[Inputs, Tensor]], kind: str, scale: float = 1.0) -> float:
    """Mean loss of the task over batches of inputs and labels; scale: see StageContext."""
    model.eval()
    total, rows = 0.0, 0
    for inputs, labels in batches:
        logits = model(**inputs).float()
        if kind == "regression":
            loss = regression_loss(logits.squeeze(-1), labels.float(), scale)
        else:
            loss = F.cross_entropy(logits, labels)
        total, rows = total + float(loss) * len(labels), rows + len(labels)
    return total / rows
