"""The training of one model for all lengths: the sandwich rule with in-place distillation.

Each batch is computed at full length, which learns the labels, at the shortest lengths and at random ones; these learn
the outputs of the full pass and see no labels. The loss is the mean over the passes.
Source: Length-Adaptive Transformer, arXiv 2010.07003, section 3.2. Unlike in its code, the full pass leaves no layer
out, and the divergence is from the full pass to the shorter one; `direction=sub_full` is the code's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from models.backbones.bert import Encoder
from models.compression.lengths.chosen import encoder_with_lengths
from models.compression.lengths.sampler import Shape, draw_shapes, shortest
from models.compression.settings.length import LengthTraining
from models.compression.stage import Inputs, StageContext, Targets, TrainingHook


@contextmanager
def computing(encoder: Encoder, shape: Shape | None) -> Iterator[None]:
    """Let the encoder compute a shape for a block, None for all layers and tokens."""
    before = encoder.lengths, encoder.skipped
    encoder.lengths, encoder.skipped = (shape.lengths, shape.skipped) if shape else (None, frozenset())
    try:
        yield
    finally:
        encoder.lengths, encoder.skipped = before


class LengthHook(TrainingHook):
    """Adds the shorter passes to every batch. Evaluations within the training are of the shortest lengths.

    The best weights are thus those that are best where the most tokens are dropped; the full pass teaches them.
    """

    def __init__(self, context: StageContext, options: LengthTraining) -> None:
        self.context, self.options = context, options
        self.encoder: Encoder | None = None
        self.random = np.random.default_rng()
        self.shorter: list[Tensor] = []  # the outputs of the shorter passes over this batch

    def begin(self, model: nn.Module, total_steps: int) -> None:
        """Set the lengths of evaluations."""
        self.encoder = encoder_with_lengths(model)
        self.encoder.lengths = shortest(len(self.encoder.layer), self.options.drop)

    def before_step(self, step: int) -> None:
        """Draw by the step, so that a continued run draws the same lengths."""
        self.random = np.random.default_rng([self.context.seed, step])

    def forward(self, model: Callable[..., Tensor], inputs: Inputs, rows: np.ndarray) -> Tensor:
        """The outputs of the full pass; keeps those of the shorter ones."""
        encoder, options = self._begun(), self.options
        with computing(encoder, None):
            full = model(**inputs)
        self.shorter = []
        shapes = draw_shapes(len(encoder.layer), options.sandwich, options.drop, options.layer_drop, self.random)
        for shape in shapes:
            with computing(encoder, shape):
                self.shorter.append(model(**inputs))
        return full

    def loss(self, task_loss: Tensor, output: Tensor, targets: Targets, rows: np.ndarray) -> Tensor:
        """The mean of the task's loss at full length and the divergences of the shorter passes from it."""
        full, found = output.detach().float(), [task_loss]
        for shorter in self.shorter:
            pair = shorter.float(), full
            student, teacher = pair if self.options.direction == "full_sub" else pair[::-1]
            found.append(self.context.task.match(student, teacher, targets, soft="kl", temperature=1.0))
        self.shorter = []
        return torch.stack(found).mean()

    def end(self, model: nn.Module) -> None:
        """Compute all tokens again."""
        self._begun().lengths = None

    def _begun(self) -> Encoder:
        assert self.encoder is not None, "begin comes first"
        return self.encoder
