"""What the prunings of single weights share: masks over chosen matrices, the schedule, cuts, densities and folding.

A masked matrix is W x M, as a parametrization of its weight, so that the model computes as ever. Which weights a mask
keeps is the method's: models/compression/magnitude.py, movement.py and l0.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatch
from typing import Any, cast

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

# The six linear maps of a block by BERT's names for them, which have metrics of their own.
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

PRUNED = "pruned"  # key of config.json: names of the modules whose zeros must stay

Matrix = nn.Linear | nn.Embedding


def blocks(model: nn.Module) -> list[str]:
    """Names of the lists of blocks of a model's encoder: its outermost lists of modules that hold linear layers."""
    lists: list[str] = []
    for name, module in model.named_modules():
        is_inside = name.startswith(ENCODERS) and not name.startswith((EMBEDDINGS, *(f"{outer}." for outer in lists)))
        if is_inside and isinstance(module, nn.ModuleList) and any(isinstance(m, nn.Linear) for m in module.modules()):
            lists.append(name)
    return lists


def choose(model: nn.Module, pattern: str | None, key: str = "matrices") -> dict[str, Matrix]:
    """The matrices to prune, by name: all linear layers of the encoder's blocks, whatever their names, or all whose
    names fit a pattern such as *word_embeddings. A block that several layers share counts once.

    key: the setting of the pattern, for messages. ModelError when there are none, and for blocks with other weights.
    """
    matrices = {name: module for name, module in model.named_modules() if isinstance(module, Matrix)}
    kinds = sorted({re.sub(r"\.\d+(?=\.)", ".*", name) for name in matrices})
    if pattern:
        found = {name: matrix for name, matrix in matrices.items() if fnmatch(name, pattern)}
        problem = f"nothing to prune in this model: {key}={pattern} fits none of its matrices"
    else:
        inside = tuple(f"{name}." for name in blocks(model))
        linear = {name: matrix for name, matrix in matrices.items() if isinstance(matrix, nn.Linear)}
        found = {name: matrix for name, matrix in linear.items() if name.startswith(inside)} if inside else {}
        problem = "nothing to prune in this model: its encoder has no blocks of linear layers"
        if others := _other_weights(model, inside):
            found, problem = {}, f"only a part could be pruned: its blocks also compute with {', '.join(others)}"
    if not found:
        raise ModelError(f"{problem}. Try: '{key}=<one of {', '.join(kinds)}>'")
    return found


def _other_weights(model: nn.Module, inside: tuple[str, ...]) -> list[str]:
    """Kinds of modules in the blocks whose weights are neither linear layers nor tables, such as convolutions."""
    left = (nn.Linear, nn.Embedding, Dendrite, Mask, ParametrizationList)
    return sorted({
        type(module).__name__
        for name, module in model.named_modules()
        if inside and name.startswith(inside) and not isinstance(module, left)
        for parameter in module.parameters(recurse=False)
        if parameter.dim() > 1
    })  # fmt: skip


class Mask(nn.Module):
    """A parametrization: the weight times `factor()`, which a method defines."""

    before: Tensor  # which places were kept when that was last looked at, bool

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("before", torch.ones_like(weight, dtype=torch.bool))

    def factor(self) -> Tensor:
        """What each weight is multiplied by when the model predicts; 0: pruned."""
        raise NotImplementedError

    def forward(self, weight: Tensor) -> Tensor:
        """The masked weight."""
        return weight * self.factor()

    def flipped(self, kept: Tensor) -> int:
        """How many places changed between kept (bool) and pruned since this was last asked."""
        changed = int((kept != self.before).sum())
        self.before.copy_(kept)
        return changed


class Binary(Mask):
    """A mask of 0 and 1 that is set from outside; floats, as products with bool take 15 times as long."""

    kept: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__(weight)
        self.register_buffer("kept", torch.ones_like(weight))

    def factor(self) -> Tensor:
        """The mask."""
        return self.kept


def original(module: Matrix) -> Tensor:
    """The weight behind the masks, if there are any."""
    if not is_parametrized(module):
        return module.weight
    found: Tensor = module.parametrizations.weight.original  # type: ignore[union-attr,assignment]
    return found


def put_on(module: Matrix, mask: Mask) -> None:
    """From here on the module computes with the masked weight."""
    register_parametrization(module, "weight", mask)


def fold(module: Matrix) -> None:
    """Make the masked weight the weight: the same numbers, and a plain module."""
    if is_parametrized(module):
        is_trained = original(module).requires_grad
        remove_parametrizations(module, "weight", leave_parametrized=True)
        module.weight.requires_grad_(is_trained)


@contextmanager
def keep_pruned_zeros(model: nn.Module) -> Iterator[None]:
    """Within it training leaves at zero what a pruning has set to zero; does nothing to other models."""
    pruned = set(cast(dict[str, Any], model.architecture).get(PRUNED, ()))
    modules = [module for name, module in model.named_modules() if name in pruned and isinstance(module, Matrix)]
    for module in modules:
        mask = Binary(module.weight)
        mask.kept.copy_(module.weight.detach() != 0)
        put_on(module, mask)
    try:
        yield
    finally:
        for module in modules:
            fold(module)


def cubic(step: int, first: float, last: float, start: float, end: float) -> float:
    """A value that stays `first` until step `start` and falls to `last` at step `end`, fast and then ever slower.

    Source: Zhu & Gupta 2017; in this form `schedule_threshold` of movement pruning's code.
    """
    if step >= end:
        return last
    if step <= start:
        return first
    return last + (first - last) * (1.0 - (step - start) / (end - start)) ** 3


@torch.no_grad()
def keep_top(scores: list[Tensor], density: float) -> list[Tensor]:
    """1 for the highest `density` of all places of these tensors together, else 0; exact to one weight, ties too."""
    flat = torch.cat([score.detach().flatten() for score in scores])
    pruned = len(flat) - round(density * len(flat))
    if pruned == 0:
        return [torch.ones_like(score) for score in scores]
    lowest = _smallest(flat, pruned)
    kept = flat > lowest
    ties = (flat == lowest).nonzero().squeeze(1)
    kept[ties[: len(flat) - pruned - int(kept.sum())]] = True
    parts = kept.to(flat.dtype).split([score.numel() for score in scores])
    return [part.view(score.shape) for part, score in zip(parts, scores)]


def cut_to(density: float, masks: list[Binary], scores: list[Tensor], scope: str) -> None:
    """Let each mask keep the highest `density` of its scores; with scope=global all of them that of all scores."""
    shares = [(masks, scores)] if scope == "global" else [([mask], [own]) for mask, own in zip(masks, scores)]
    for those, values in shares:
        for mask, kept in zip(those, keep_top(values, density)):
            mask.kept.copy_(kept)


def _smallest(values: Tensor, place: int) -> Tensor:
    """The `place`-th smallest value, from 1."""
    if values.is_cuda:
        return values.kthvalue(place).values
    # Ten times as fast as torch's selection on a CPU.
    return values.new_tensor(np.partition(values.numpy(), place - 1)[place - 1])


def densities(model: nn.Module, kept: Mapping[str, Tensor]) -> dict[str, float]:
    """The `prune/density_*` metrics of a model whose matrices, by name, have these places (bool) left.

    density_encoder counts biases and norms of the encoder as kept, as movement pruning's tables do.
    """
    counts = {name: int(places.sum()) for name, places in kept.items()}
    gone = sum(places.numel() for places in kept.values()) - sum(counts.values())
    whole = _parameters(model)
    found = {
        "prune/density_prunable": sum(counts.values()) / sum(places.numel() for places in kept.values()),
        "prune/density_model": 1.0 - gone / whole,
    }
    lists = blocks(model)
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
    """Parameters, without those of masks."""
    scores = {id(p) for module in model.modules() if isinstance(module, Mask) for p in module.parameters()}
    return sum(p.numel() for p in model.parameters() if id(p) not in scores)
