"""Plain SGD for models that consist mostly of embedding tables (words, bigrams): a step updates only the rows it read.

For table rows and the last layer, the learning rate is per text: the gradients of the texts in a step are summed, so a
batch of 32 corresponds to 32 batches of one text (Joulin et al. 2016, fastText, arXiv 1607.01759). An optimizer that
divides by the gradient's own size gives a row that occurs twice almost the weight of a frequent one; SGD does not.

Parameters that all texts share (position and segment vectors, norms, biases) get the mean gradient of the step instead.
A shared vector s adds W s to the scores of every text, so a step changes them by rate x |W|^2, where a word of a text
of T tokens changes them by rate x |W|^2 / T: at rates that suit the rows, shared parameters oscillate until they
overflow.
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
    """The gradient of the table rows that a step has read."""

    places: Tensor  # (R,) int64, ascending
    parts: Tensor  # (R, H)


class RowTable:
    """A table (V, H) that is updated by rows: on the CPU its gradient is sparse, with only the rows of a step."""

    def __init__(self, table: nn.Embedding) -> None:
        self.table, self.weight = table, table.weight
        table.sparse = self.weight.device.type == "cpu"
        self._seen = np.zeros(len(self.weight), bool)
        self._place = np.zeros(len(self.weight), np.int64)

    def gradient(self) -> StepRows | None:
        """Return the gradient of this step, with repeated rows summed; None if no row was read."""
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
    """SGD without momentum or decay over a model's row tables, its last layer and its shared parameters."""

    shrink = 1.0  # no weight decay is pending, as FlatOptimizer may have

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
        """Update with the learning rate `rate` per text, and clear the gradients.

        texts: number of texts in the step; `found` has their mean gradient. clip_norm: the largest norm of that mean.
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
        """Clear all gradients, as before the backward passes."""
        for parameter in (*self.summed, *self.shared, *(table.weight for table in self.tables)):
            parameter.grad = None
        self._found = []

    def apply_pending_decay(self) -> None:
        """Do nothing: there is no decay."""

    def release(self) -> None:
        """Switch the tables back to dense gradients."""
        for table in self.tables:
            table.table.sparse = False

    def state(self) -> dict[str, Tensor]:
        """Return {}: plain SGD has no state."""
        return {}

    def load(self, state: dict[str, Tensor]) -> None:
        """Do nothing: there is no state."""

    def moments(self) -> dict[str, Tensor]:
        """Return {}: there are no moments."""
        return {}


def make_step_optimizer(
    model: nn.Module, settings: OptimizerSettings, table: CompactTable | None, moments: dict[str, Tensor] | None
) -> FlatOptimizer | RowOptimizer:
    """Return the optimizer of a training; the arguments are those of FlatOptimizer."""
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
