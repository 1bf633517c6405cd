"""Knowledge distillation: a small student learns the outputs, and optionally the internal states, of a larger teacher.

A distillation is a list of phases. Each phase is a training run with its own loss weights: TinyBERT, Simplified
TinyBERT and ERNIE-Tiny are such lists (conf/compression/). If only outputs are learned, the teacher does not run
during training: its logits come from the shared cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn

from models.compression.distillation.internals import PROJECTIONS, Internals, run_with_internals, shape_of
from models.compression.distillation.layer_map import layer_map
from models.compression.distillation.losses import (
    attention_loss,
    cosine_loss,
    hidden_loss,
    relation_loss,
)
from models.compression.distillation.mismatches import mismatches
from models.compression.distillation.text_vectors import TextMap, encode_texts, vector_mismatches
from models.compression.settings.learn import Distil as Options
from models.compression.settings.learn import DistilLosses, DistilPhase
from models.compression.stage import Inputs, Stage, StageContext, Targets, Teacher, TrainingHook, zero_unless_finite
from models.errors import ModelError
from models.heads.linear import LinearHead
from models.json_types import JsonObject

NEVER = 1_000_000  # epochs of patience, for phases that do not train towards the metric


class Distil(Stage):
    """Run the phases in order; all of them share the projections."""

    options: Options

    def check_teacher(self, model: nn.Module, teacher: Teacher) -> None:
        """ModelError for losses that do not fit the two architectures."""
        used = {loss for phase in self.options.phases.values() for loss in phase.losses.internal}
        found = mismatches(used, shape_of(model), shape_of(teacher.network), self.options) if used else []
        if any(phase.losses.vector for phase in self.options.phases.values()):
            found += vector_mismatches(model, teacher.network)
        if found:
            raise ModelError("\n".join(found))

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        """Run the phases that are not done yet, then drop the projections."""
        options, teacher = self.options, context.teacher()
        self.check_teacher(model, teacher)  # again: an earlier stage may have removed heads
        if added := context.add_unlabelled():
            context.say(f"{added:,} rows without labels join the training rows")
            context.add_metrics({"distil/rows_added": added})
        pair = Pair(model, teacher, context, options)
        both, done = nn.ModuleDict({"model": model, "projections": pair.projections}), 0
        if found := context.load_progress():
            both.load_state_dict(found[0])
            done = found[1]["phases"]
        for place, (name, phase) in enumerate(options.phases.items(), 1):
            if place <= done:
                continue
            context.train(model, DistilHook(phase.losses, pair), phase=name, **training_changes(phase))
            if place < len(options.phases):
                context.save_progress(both, {"phases": place})
        context.add_metrics({"distil/teacher_score": teacher.score, "distil/teacher_rows": teacher.rows_answered})
        context.add_metrics({"time/teacher_s": teacher.seconds})
        if teacher.score > 0:  # the ratio means nothing for negative scores, such as errors
            context.add_metrics({"distil/retained": context.score(model) / teacher.score})
        return model


def training_changes(phase: DistilPhase) -> JsonObject:
    """The training settings that a phase overrides. A phase without output losses keeps its last weights."""
    learns_outputs = bool(phase.losses.soft or phase.losses.hard)
    own: JsonObject = {
        "epochs": phase.epochs, "lr": phase.lr, "batch_size": phase.batch_size,
        "schedule": phase.schedule, "warmup": phase.warmup,
    }  # fmt: skip
    return own if learns_outputs else own | {"keep_best": False, "patience": NEVER}


class Projections(nn.Module):
    """Linear maps from the student's states to the teacher's width: one shared by all layers, or one per layer.

    Source: W_h and W_e of TinyBERT, eq. 8 and 9; its code shares one map.
    """

    def __init__(self, student: int, teacher: int, layers: Iterable[int], *, is_shared: bool, seed: int) -> None:
        super().__init__()
        self.is_shared = is_shared
        names = ["shared"] if is_shared else [str(layer) for layer in layers]
        self.maps = nn.ModuleDict({name: nn.Linear(student, teacher, bias=False) for name in names})
        # A separate generator, so that a resumed run draws the same numbers.
        generator = torch.Generator().manual_seed(seed)
        for weight in self.maps.parameters():
            if student == teacher:
                nn.init.eye_(weight)
            else:
                nn.init.normal_(weight, std=student**-0.5, generator=generator)

    def forward(self, states: list[Tensor], layer: int) -> Tensor:
        """(B, T, student's width) to (B, T, teacher's); layer 0 is the embeddings."""
        out: Tensor = self.maps["shared" if self.is_shared else str(layer)](states[layer])
        return out


class Pair:
    """Student and teacher, with the layer map and the projections that connect them."""

    def __init__(self, student: nn.Module, teacher: Teacher, context: StageContext, options: Options) -> None:
        self.student, self.teacher, self.context, self.options = student, teacher, context, options
        losses = [phase.losses for phase in options.phases.values()]
        self.layers: dict[int, int] = {}
        self.projections = nn.Module()
        if any(loss.internal for loss in losses):
            own, other = shape_of(student), shape_of(teacher.network)
            self.layers = layer_map(options.layers, own.layers, other.layers)
            if any(loss.is_projected for loss in losses):
                self.projections = Projections(
                    own.width, other.width, [0, *self.layers], is_shared=options.projection == "shared",
                    seed=context.seed,
                ).to(context.device)  # fmt: skip
        if any(loss.vector for loss in losses):
            assert isinstance(student, LinearHead), "checked"
            text = TextMap(student.classifier.in_features, context.teacher_vectors(None), context.seed)
            self.projections.add_module("text", text.to(context.device))


class DistilHook(TrainingHook):
    """Computes the weighted sum of a phase's losses; logs the mean of each since the last evaluation."""

    def __init__(self, losses: DistilLosses, pair: Pair) -> None:
        self.weights = {name: weight for name, weight in vars(losses).items() if weight}
        self.pair = pair
        self.needs_internals = losses.internal
        self.soft = pair.options.soft
        self._internal_losses: dict[str, Callable[[Internals, Internals], Tensor]] = {
            "hidden": self._hidden,
            "embedding": self._embedding,
            "attention": self._attention,
            "relation": self._relation,
            "cosine": self._cosine,
        }
        if losses.is_projected or losses.vector:
            self.extra = pair.projections
        self.internals: tuple[Internals, Internals] | None = None  # (student's, teacher's) for this batch
        self.mask: Tensor | None = None
        self.vectors: Tensor | None = None  # output of the student's readout, (B, H), if a loss compares it
        # The sum of each loss, then the number of batches.
        self.sums = torch.zeros(len(self.weights) + 1, device=pair.context.device)

    def forward(self, model: Callable[..., Tensor], inputs: Inputs, rows: np.ndarray) -> Tensor:
        """The student's logits; keeps the internal states of both models if a loss compares them."""
        if not self.needs_internals:
            return self._with_vectors(inputs) if "vector" in self.weights else model(**inputs)
        layers = self.attention_layers()
        student = run_with_internals(self.pair.student, inputs, layers)
        with torch.no_grad():
            theirs = self.pair.context.training_inputs(rows, inputs)
            teacher = run_with_internals(self.pair.teacher.network, theirs, layers.values())
        self.internals, self.mask = (student, teacher), inputs.get("attention_mask")
        self.vectors = student.vectors
        return student.logits

    def _with_vectors(self, inputs: Inputs) -> Tensor:
        """The student's logits; keeps its text vectors."""
        student = self.pair.student
        assert isinstance(student, LinearHead), "checked"
        self.vectors = encode_texts(student, inputs)
        return student.score(self.vectors, student.added(**inputs) if student.added else None)

    def attention_layers(self) -> dict[int, int]:
        """Student layer to teacher layer, for the layers whose attention is compared: all, the last, or none."""
        if "attention" in self.weights:
            return self.pair.layers
        return dict([max(self.pair.layers.items())]) if "relation" in self.weights else {}

    def loss(self, task_loss: Tensor, output: Tensor, targets: Targets, rows: np.ndarray) -> Tensor:
        """The weighted sum of the losses; with hard=1 alone, exactly the task's loss."""
        found = {}
        for name in self.weights:
            if name == "hard":
                found[name] = task_loss
            elif name == "soft":
                found[name] = self._soft(output.float(), targets, rows)
            elif name == "vector":
                found[name] = self._vector(rows)
            else:
                found[name] = self._internal_losses[name](*self._both_internals())
        seen = [*(value.detach() for value in found.values()), self.sums.new_ones(())]
        self.sums += zero_unless_finite(torch.stack(seen))
        self.internals = self.vectors = None
        return torch.stack([self.weights[name] * value for name, value in found.items()]).sum()

    def _both_internals(self) -> tuple[Internals, Internals]:
        assert self.internals is not None, "forward comes before loss"
        return self.internals

    def _soft(self, output: Tensor, targets: Targets, rows: np.ndarray) -> Tensor:
        context, options = self.pair.context, self.pair.options
        wanted = self.internals[1].logits if self.internals else context.teacher_logits(rows)
        found = context.task.match(output, wanted, targets, soft=options.soft, temperature=options.temperature)
        return found * self.matched

    def _vector(self, rows: np.ndarray) -> Tensor:
        assert self.vectors is not None, "forward comes before loss"
        found: Tensor = self.pair.projections.get_submodule("text")(
            self.vectors, self.pair.context.teacher_vectors(rows)
        )
        return found

    def _hidden(self, student: Internals, teacher: Internals) -> Tensor:
        parts = [
            hidden_loss(self.pair.projections(student.states, own), teacher.states[other], self.mask)
            for own, other in self.pair.layers.items()
        ]
        return torch.stack(parts).sum()

    def _embedding(self, student: Internals, teacher: Internals) -> Tensor:
        return hidden_loss(self.pair.projections(student.states, 0), teacher.states[0], self.mask)

    def _attention(self, student: Internals, teacher: Internals) -> Tensor:
        parts = [
            attention_loss(student.scores(own), teacher.scores(other), self.mask)
            for own, other in self.pair.layers.items()
        ]
        return torch.stack(parts).sum()

    def _relation(self, student: Internals, teacher: Internals) -> Tensor:
        own, other = max(self.pair.layers.items())
        heads = self.pair.options.relation_heads
        parts = [
            relation_loss(student.projected[own, name], teacher.projected[other, name], heads, self.mask)
            for name in PROJECTIONS
        ]
        return torch.stack(parts).sum()

    def _cosine(self, student: Internals, teacher: Internals) -> Tensor:
        own, other = max(self.pair.layers.items())
        return cosine_loss(student.states[own], teacher.states[other], self.mask)

    def facts(self) -> dict[str, float]:
        """The mean of each unweighted loss since the last evaluation."""
        *sums, batches = self.sums.tolist()
        self.sums.zero_()
        return {f"distil/loss_{name}": total / batches for name, total in zip(self.weights, sums)} if batches else {}

    def state(self) -> dict[str, Tensor]:
        """The sums from which the next logged means are computed."""
        return {"sums": self.sums.clone()}

    def load(self, state: dict[str, Tensor]) -> None:
        """Restore the sums."""
        self.sums.copy_(state["sums"])
