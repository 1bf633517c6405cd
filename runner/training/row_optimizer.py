"""Plain SGD for models that are mostly tables of rows (words, word pairs): only the rows of a step are touched.

The rate of a row and of the last layer is that of one text: the gradients of the texts of a step are summed, so a batch
of 32 does what 32 batches of one text do (Joulin et al. 2016, fastText, arXiv 1607.01759). Methods that divide by the
gradient's own size give a row that occurs twice almost the weight of a frequent one; a plain sum does not.

What all texts share (position and segment vectors, norms, biases) gets the mean of the step instead. A shared vector s
adds W s to the scores of every text, so a step changes them by rate x |W|^2, where a word of a text of T tokens changes
them by rate x |W|^2 / T: at rates that suit the rows the shared ones swing and grow until they overflow.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from models.heads.linear import LinearHead
from models.network import Network
from runner.schema import ROW_SGD, OptimizerSettings
from runner.training.compact_vocabulary import CompactTable
from runner.training.flat_optimizer import FlatOptimizer, Gradients


class StepRows(NamedTuple):
    """The gradient of the rows of a table that a step has read."""

    places: Tensor  # (R,) int64, ascending
    parts: Tensor  # (R, H)


class RowTable:
    """A table (V, H) that is updated row by row: on the CPU its gradient holds the rows of a step and no others."""

    def __init__(self, table: nn.Embedding) -> None:
        self.table, self.weight = table, table.weight
        table.sparse = self.weight.device.type == "cpu"
        self._seen = np.zeros(len(self.weight), bool)
        self._place = np.zeros(len(self.weight), np.int64)

    def gradient(self) -> StepRows | None:
        """Return the gradient of this step, repeated rows summed; None where no row was read."""
        grad = self.weight.grad
        if grad is None:
            return None
        if not grad.is_sparse:
            return StepRows(torch.arange(len(grad), device=grad.device), grad)
        every = grad._indices()[0].numpy()
        self._seen[every] = True  # marking finds the distinct rows ten times faster than sorting
        rows = np.flatnonzero(self._seen)
        self._seen[rows] = False
        self._place[rows] = np.arange(len(rows))
        values = grad._values().new_zeros(len(rows), grad.shape[1])
        values.index_add_(0, torch.from_numpy(self._place[every]), grad._values())
        return StepRows(torch.from_numpy(rows), values)


class RowOptimizer:
    """SGD without momentum and decay over a model's row tables, its last layer and what its texts share."""

    shrink = 1.0  # untrained rows never shrink

    def __init__(self, model: nn.Module) -> None:
        self.tables = [RowTable(table) for table in row_tables(model)]
        rows = {id(table.weight) for table in self.tables}
        others = [p for p in model.parameters() if p.requires_grad and id(p) not in rows]
        summed = {id(p) for p in _last_layers(model)}
        self.summed = [p for p in others if id(p) in summed]
        self.shared = [p for p in others if id(p) not in summed]
        self._found: list[tuple[RowTable, StepRows]] = []

    @torch.no_grad()
    def gradients(self, rows: np.ndarray | None) -> Gradients:
        """Collect the gradients of this step's mean loss, and their norm; rows is not used."""
        found = [(table, table.gradient()) for table in self.tables]
        self._found = [(table, part) for table, part in found if part is not None]
        parts = [p.grad for p in (*self.summed, *self.shared) if p.grad is not None]
        parts += [part.parts for _, part in self._found]
        norms = [torch.linalg.vector_norm(part) for part in parts] or [torch.zeros(())]
        return Gradients(parts, None, torch.linalg.vector_norm(torch.stack(norms)))

    @torch.no_grad()
    def step(self, rate: float, clip_norm: float, found: Gradients, texts: int = 1) -> None:
        """Update at `rate` a text, and clear the gradients.

        texts: of the step, whose gradients `found` holds the mean of. clip_norm: the largest norm of that mean.
        """
        if clip_norm and (scale := min(1.0, clip_norm / (float(found.norm) + 1e-6))) < 1.0:
            for part in found.parts:
                part.mul_(scale)
        for parameter in self.shared:
            if parameter.grad is not None:
                parameter.add_(parameter.grad, alpha=-rate)
        for parameter in self.summed:
            if parameter.grad is not None:
                parameter.add_(parameter.grad, alpha=-rate * texts)
        for table, read in self._found:
            table.weight.index_add_(0, read.places, read.parts, alpha=-rate * texts)
        self.clear(found)

    def clear(self, found: Gradients) -> None:
        """Forget all gradients, as before the backward passes."""
        for parameter in (*self.summed, *self.shared, *(table.weight for table in self.tables)):
            parameter.grad = None
        self._found = []

    def apply_pending_decay(self) -> None:
        """Nothing: there is no decay."""

    def release(self) -> None:
        """Let the tables have dense gradients again."""
        for table in self.tables:
            table.table.sparse = False

    def state(self) -> dict[str, Tensor]:
        """Nothing: plain SGD remembers nothing."""
        return {}

    def load(self, state: dict[str, Tensor]) -> None:
        """Nothing to put back."""

    def moments(self) -> dict[str, Tensor]:
        """None."""
        return {}


def make_step_optimizer(
    model: nn.Module, settings: OptimizerSettings, table: CompactTable | None, moments: dict[str, Tensor] | None
) -> FlatOptimizer | RowOptimizer:
    """Return the optimizer of a training, as FlatOptimizer takes its arguments."""
    return RowOptimizer(model) if settings.name == ROW_SGD else FlatOptimizer(model, settings, table, moments)


def row_tables(model: nn.Module) -> list[nn.Embedding]:
    """Return the trained tables of a model whose rows are words, word pairs or other parts of a text."""
    networks = [module for module in model.modules() if isinstance(module, Network)]
    parts = [part for network in networks for part in network.bert.word_vectors().modules()]
    tables = [part for part in parts if isinstance(part, nn.Embedding) and "weight" in part._parameters]
    return [table for table in tables if table.weight.requires_grad]


def _last_layers(model: nn.Module) -> list[nn.Parameter]:
    """Return the matrix of the model's last layer."""
    heads = [head for head in model.modules() if isinstance(head, LinearHead)]
    return [parameter for head in heads for parameter in head.classifier.parameters() if parameter.ndim > 1]
