"""Masks for unstructured pruning: choosing matrices, the density schedule, setting masks, and folding them.

A mask M is a parametrization of a weight W, so that the layer computes with W * M, elementwise. The methods decide
which weights a mask keeps: models/compression/magnitude.py, movement.py and l0.py.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatch
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import (
    ParametrizationList,
    is_parametrized,
    register_parametrization,
    remove_parametrizations,
)

from models.compression.dendrite.module import Dendrite
from models.errors import ModelError
from models.json_types import JsonObject

# The six linear layers of a block, by their names in BERT; each has its own metric.
BLOCK = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attention_output",
    "intermediate.dense": "intermediate",
    "output.dense": "output",
}
PLACE = re.compile(rf"\.layer\.(\d+)\.({'|'.join(map(re.escape, BLOCK))})$")

ENCODERS, EMBEDDINGS = ("bert.encoder.", "bert.backbone."), "bert.backbone.embeddings."

SAMPLE = 4096  # sampled values, from which a threshold is estimated
MARGIN = 2.0  # error margin of the estimated rank, times sqrt(sample size): at least four standard deviations

PRUNED = "pruned"  # key in config.json: names of the modules whose zeros must be kept

Matrix = nn.Linear | nn.Embedding


def block_lists(model: nn.Module) -> list[str]:
    """Names of an encoder's block lists: its outermost module lists that contain linear layers."""
    lists: list[str] = []
    for name, module in model.named_modules():
        is_inside = name.startswith(ENCODERS) and not name.startswith((EMBEDDINGS, *(f"{outer}." for outer in lists)))
        if is_inside and isinstance(module, nn.ModuleList) and any(isinstance(m, nn.Linear) for m in module.modules()):
            lists.append(name)
    return lists


def choose_matrices(model: nn.Module, pattern: str | None, key: str = "matrices") -> dict[str, Matrix]:
    """The matrices to prune, by name: all linear layers in the encoder's blocks, or all that match a pattern.

    A pattern is a name with wildcards, such as *word_embeddings. A block shared by several layers counts once.
    key: the setting of the pattern, for messages. ModelError if no matrix is found, or, without a pattern, if the
    blocks have other weights.
    """
    matrices = {name: module for name, module in model.named_modules() if isinstance(module, Matrix)}
    kinds = sorted({re.sub(r"\.\d+(?=\.)", ".*", name) for name in matrices})
    if pattern:
        found = {name: matrix for name, matrix in matrices.items() if fnmatch(name, pattern)}
        problem = f"nothing to prune in this model: {key}={pattern} matches none of its matrices"
    else:
        inside = tuple(f"{name}." for name in block_lists(model))
        linear = {name: matrix for name, matrix in matrices.items() if isinstance(matrix, nn.Linear)}
        found = {name: matrix for name, matrix in linear.items() if name.startswith(inside)} if inside else {}
        problem = "nothing to prune in this model: its encoder has no blocks of linear layers"
        if others := _other_weights(model, inside):
            found = {}
            problem = f"only a part of this model could be pruned: its blocks also compute with {', '.join(others)}"
    if not found:
        raise ModelError(f"{problem}. Try: '{key}=<one of {', '.join(kinds)}>'")
    return found


def linear_layers(model: nn.Module) -> list[str]:
    """Names of all linear layers of an encoder, including those outside blocks, such as between tables and blocks."""
    found = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    return [name for name in found if name.startswith(ENCODERS)]


def _other_weights(model: nn.Module, inside: tuple[str, ...]) -> list[str]:
    """Types of modules in the blocks with weights that are not linear layers or tables, such as convolutions."""
    left = (nn.Linear, nn.Embedding, Dendrite, Mask, ParametrizationList)
    return sorted({
        type(module).__name__
        for name, module in model.named_modules()
        if inside and name.startswith(inside) and not isinstance(module, left)
        for parameter in module.parameters(recurse=False)
        if parameter.dim() > 1
    })  # fmt: skip


class Mask(nn.Module):
    """A parametrization that multiplies the weight by `factor()`, which each method defines."""

    before: Tensor  # bool: the weights that were kept when flips were last counted

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("before", torch.ones_like(weight, dtype=torch.bool))

    def factor(self) -> Tensor:
        """The factor of each weight at inference; 0: pruned."""
        raise NotImplementedError

    def forward(self, weight: Tensor) -> Tensor:
        """The masked weight."""
        return weight * self.factor()

    def count_flips(self, kept: Tensor) -> int:
        """How many weights changed between kept and pruned since the last count; kept: bool, the current state."""
        changed = int((kept != self.before).sum())
        self.before.copy_(kept)
        return changed


class BinaryMask(Mask):
    """A mask of 0 and 1 that a method sets; it is float because products with bool take 15 times as long."""

    kept: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__(weight)
        self.register_buffer("kept", torch.ones_like(weight))

    def factor(self) -> Tensor:
        """The mask, 0 or 1."""
        return self.kept


def unmasked_weight(module: Matrix) -> Tensor:
    """The weight before masking, or the plain weight if there is no mask."""
    if not is_parametrized(module):
        return module.weight
    found: Tensor = module.parametrizations.weight.original  # type: ignore[union-attr,assignment]
    return found


def attach_mask(module: Matrix, mask: Mask) -> None:
    """Make the module compute with the masked weight."""
    register_parametrization(module, "weight", mask)


def fold_mask(module: Matrix) -> None:
    """Replace the weight with the masked weight, in a plain module."""
    if is_parametrized(module):
        is_trained = unmasked_weight(module).requires_grad
        remove_parametrizations(module, "weight", leave_parametrized=True)
        module.weight.requires_grad_(is_trained)


@contextmanager
def keep_pruned_zeros(model: nn.Module) -> Iterator[None]:
    """Keep pruned weights at zero while a later stage trains; has no effect on models that were not pruned."""
    pruned = set(cast(JsonObject, model.architecture).get(PRUNED, ()))
    modules = [module for name, module in model.named_modules() if name in pruned and isinstance(module, Matrix)]
    for module in modules:
        mask = BinaryMask(module.weight)
        mask.kept.copy_(module.weight.detach() != 0)
        attach_mask(module, mask)
    try:
        yield
    finally:
        for module in modules:
            fold_mask(module)


def cubic_schedule(step: int, first: float, last: float, start: float, end: float) -> float:
    """The schedule's value: `first` until step `start`, then it approaches `last`, ever more slowly, until step `end`.

    Source: Zhu & Gupta 2017; in this form, `schedule_threshold` in movement pruning's code.
    """
    if step >= end:
        return last
    if step <= start:
        return first
    return last + (first - last) * (1.0 - (step - start) / (end - start)) ** 3


@torch.no_grad()
def keep_top(scores: list[Tensor], density: float) -> list[Tensor]:
    """1 for the highest scores, a share `density` of all these tensors together, else 0; exact even with ties."""
    flat = torch.cat([score.detach().flatten() for score in scores])
    pruned = len(flat) - round(density * len(flat))
    if pruned == 0:
        return [torch.ones_like(score) for score in scores]
    lowest = _smallest(flat, pruned)
    kept = flat > lowest
    if missing := len(flat) - pruned - int(kept.count_nonzero()):
        ties = (flat == lowest).nonzero().squeeze(1)
        kept[ties[:missing]] = True
    parts = kept.to(flat.dtype).split([score.numel() for score in scores])
    return [part.view(score.shape) for part, score in zip(parts, scores)]


def set_masks(density: float, masks: list[BinaryMask], scores: list[Tensor], scope: str) -> None:
    """Keep the highest scores, a share `density` of each matrix or, with scope=global, of all matrices together."""
    shares = [(masks, scores)] if scope == "global" else [([mask], [own]) for mask, own in zip(masks, scores)]
    for those, values in shares:
        for mask, kept in zip(those, keep_top(values, density)):
            mask.kept.copy_(kept)


def _smallest(values: Tensor, place: int) -> Tensor:
    """The `place`-th smallest value; places count from 1."""
    if values.is_cuda:
        return values.kthvalue(place).values
    return values.new_tensor(_smallest_on_cpu(values.numpy(), place))


def _smallest_on_cpu(values: np.ndarray, place: int) -> np.floating:
    """The `place`-th smallest of (n,) values, searched near an estimate from a sample of the values.

    Several times as fast as partitioning all values, which is ten times as fast as torch's selection.
    """
    sample = np.sort(values[:: max(1, len(values) // SAMPLE)])
    expected, margin = place / len(values) * len(sample), MARGIN * math.sqrt(len(sample))
    low, high = sample[max(0, int(expected - margin))], sample[min(len(sample) - 1, int(expected + margin))]
    near = values[(values >= low) & (values <= high)]
    below = int(np.count_nonzero(values < low))
    if not below < place <= below + len(near):  # the estimate was wrong, for instance because values are ordered
        near, below = values, 0
    found: np.floating = np.partition(near, place - below - 1)[place - below - 1]
    return found


def densities(model: nn.Module, kept: Mapping[str, Tensor]) -> dict[str, float]:
    """The `prune/density_*` metrics of a model; kept: for each matrix, the weights (bool) that are not pruned.

    density_encoder counts the encoder's biases and norms as kept, as movement pruning's tables do.
    """
    counts = {name: int(places.sum()) for name, places in kept.items()}
    gone = sum(places.numel() for places in kept.values()) - sum(counts.values())
    whole = _parameters(model)
    found = {
        "prune/density_prunable": sum(counts.values()) / sum(places.numel() for places in kept.values()),
        "prune/density_model": 1.0 - gone / whole,
    }
    lists = block_lists(model)
    inside = [name for name in kept if name.startswith(tuple(f"{outer}." for outer in lists))]
    if inside:
        gone = sum(kept[name].numel() - counts[name] for name in inside)
        found["prune/density_encoder"] = 1.0 - gone / sum(_parameters(model.get_submodule(name)) for name in lists)
    for name, count in counts.items():
        if place := PLACE.search(name):
            index, matrix = int(place[1]) + 1, BLOCK[place[2]]
            found[f"prune/density_{index}_{matrix}"] = count / kept[name].numel()
    return found


def _parameters(model: nn.Module) -> int:
    """The number of parameters, excluding those of masks."""
    scores = {id(p) for module in model.modules() if isinstance(module, Mask) for p in module.parameters()}
    return sum(p.numel() for p in model.parameters() if id(p) not in scores)
