"""The inputs for fitting and calibrating a model's exits: the vectors they read, and the last layer's answers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.backbones.hooks import LayerHook, State
from models.compression.stage import Inputs, StageContext, Targets
from models.heads.exits import Exits
from models.heads.linear import LinearHead
from models.heads.target_scale import TARGETS


@dataclass(frozen=True)
class Seen:
    """The exits' inputs, the last layer's answers and the labels of N rows."""

    vectors: Tensor  # (exits, N, H) float16, what each exit reads
    last: Tensor  # (N, C) float32, the logits of the last layer; standardised for regression
    labels: Tensor  # (N,)

    def take(self, rows: slice) -> Seen:
        """Some of the rows."""
        return Seen(self.vectors[:, rows], self.last[rows], self.labels[rows])

    def answers(self, exits: Exits) -> Tensor:
        """The logits of every exit, (exits, N, C) float32."""
        return torch.stack([exits.answer(place, read.float()) for place, read in enumerate(self.vectors)])

    def certainties(self, exits: Exits) -> Tensor:
        """The certainty of every exit, (exits, N) float32."""
        memory, found = None, []
        for place, read in enumerate(self.vectors):
            logits = exits.answer(place, read.float())
            certainty, memory = exits.certainty(read.float(), logits, memory)
            found.append(certainty)
        return torch.stack(found)


class Reading(LayerHook):
    """Records the vectors that every exit reads."""

    only_observes = True

    def __init__(self, exits: Exits) -> None:
        self.exits = exits
        self.vectors: list[Tensor] = []  # (B, H) each

    def before(self, layer: int, state: State) -> State:
        """Record the output of layer `layer`, counted from 1, if an exit reads it."""
        if layer in self.exits.layers:
            self.vectors.append(self.exits.vectors(state))
        return state


def exit_vectors(model: LinearHead, exits: Exits, inputs: Inputs) -> tuple[list[Tensor], Tensor]:
    """The vectors that the exits read for a batch, (B, H) each, and the output of the model's own readout, (B, H)."""
    reading = Reading(exits)
    last = model.encode(
        inputs["input_ids"], inputs.get("attention_mask"), inputs.get("token_type_ids"), hooks=[reading]
    )
    return reading.vectors, last


@torch.no_grad()
def see(model: LinearHead, exits: Exits, context: StageContext, *, rows: int | None, split: str) -> Seen:
    """`Seen` for a split: a sample of `rows` rows, or all (None). The model must be in eval mode."""
    vectors, last, labels = [], [], []
    for inputs, targets, _ in context.batches(rows=rows, split=split, seed=context.seed):
        read, own = exit_vectors(model, exits, inputs)
        vectors.append(torch.stack(read).half())
        last.append(model.classifier(own).float())
        labels.append(standard_labels(model, targets))
    return Seen(torch.cat(vectors, 1), torch.cat(last), torch.cat(labels))


def standard_labels(model: LinearHead, targets: Targets) -> Tensor:
    """The labels of a batch, (B,): classes, or numbers standardised as the head's outputs are."""
    labels = targets["labels"]
    scale = model.architecture.get(TARGETS)
    return (labels.float() - scale["mean"]) / scale["sd"] if scale else labels
