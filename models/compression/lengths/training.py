"""Training one model for shorter lengths: the sandwich rule with in-place distillation.

Each batch is computed at full length, at the shortest lengths and at random lengths. The full pass learns the labels;
the shorter passes learn only the outputs of the full pass. The loss is the mean over the passes.
Source: Length-Adaptive Transformer, arXiv 2010.07003, section 3.2. Unlike its code, the full pass skips no layer, and
the divergence is KL(full pass || shorter pass); `direction=sub_full` reverses it, as in that code. With given lengths,
these are the shortest ones, as in the retraining of PoWER-BERT, arXiv 2001.08950, section 3.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from models.backbones.bert import Encoder
from models.backbones.lengths import Lengths
from models.compression.lengths.chosen import encoder_with_lengths, fitting
from models.compression.lengths.sampler import Shape, draw_shapes, shortest
from models.compression.settings.length import LengthTraining
from models.compression.stage import Inputs, StageContext, Targets, TrainingHook
from models.network import Network

LONGEST = 512  # maximum length in tokens for a training or search with mode=absolute, if the model has no limit


@contextmanager
def computing(encoder: Encoder, shape: Shape | None) -> Iterator[None]:
    """Within the block, the encoder computes a shape; None: all layers and tokens."""
    before = encoder.lengths, encoder.skipped
    encoder.lengths, encoder.skipped = (shape.lengths, shape.skipped) if shape else (None, frozenset())
    try:
        yield
    finally:
        encoder.lengths, encoder.skipped = before


class LengthHook(TrainingHook):
    """Adds the shorter passes to every batch. Evaluations during training use the shortest lengths.

    So the best weights are those that work best when the most tokens are dropped.
    given: the shortest lengths; None: each layer drops `options.drop`.
    """

    def __init__(self, context: StageContext, options: LengthTraining, given: Lengths | None = None) -> None:
        self.context, self.options, self.given = context, options, given
        self.encoder: Encoder | None = None
        self.least, self.longest = Lengths((1.0,)), LONGEST  # the shortest lengths; the longest text, in tokens
        self.random = np.random.default_rng()
        self.shorter: list[Tensor] = []  # the outputs of the shorter passes over this batch

    def begin(self, model: nn.Module, total_steps: int) -> None:
        """Set the lengths for evaluations."""
        self.encoder, network = encoder_with_lengths(model), cast(Network, model)
        layers = len(self.encoder.layer)
        self.least = fitting(network, self.given) if self.given else shortest(layers, self.options.drop)
        self.longest = network.longest_input() or LONGEST
        self.encoder.lengths = self.least

    def before_step(self, step: int) -> None:
        """Seed by step, so that a resumed run draws the same lengths."""
        self.random = np.random.default_rng([self.context.seed, step])

    def forward(self, model: Callable[..., Tensor], inputs: Inputs, rows: np.ndarray) -> Tensor:
        """The outputs of the full pass; keeps those of the shorter passes."""
        encoder, options = self._begun(), self.options
        with computing(encoder, None):
            full = model(**inputs)
        self.shorter = []
        shapes = draw_shapes(self.least, options.sandwich, options.layer_drop, self.random, self.longest)
        for shape in shapes:
            with computing(encoder, shape):
                self.shorter.append(model(**inputs))
        return full

    def loss(self, task_loss: Tensor, output: Tensor, targets: Targets, rows: np.ndarray) -> Tensor:
        """The mean of the task's loss at full length and the shorter passes' divergences from the full pass."""
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
