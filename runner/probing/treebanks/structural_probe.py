"""The structural probe of Hewitt and Manning (2019): a linear map after which distances are those in the tree.

Of two words the squared distance |B(h_i - h_j)|^2 fits the number of edges between them; of one word |B h_i|^2 fits its
depth. Source: aclanthology.org/N19-1419, and github.com/john-hewitt/structural-probes for how it is fitted.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from runner.probing.side_by_side import Plan, fit_side_by_side, shuffled_batches

RANK = 128  # rows of B, or H where that is less
RANGE = 0.05  # B begins uniformly between -0.05 and 0.05
RATE = 1e-3  # of Adam
BATCH = 20  # sentences
FEWEST_STEPS = 50  # between two evaluations, ours: of few sentences an epoch is too few to reach B's scale from RANGE
PLAN = Plan(evaluations=40, patience=5, least_gain=1e-4, factor=0.1)


@dataclass(frozen=True)
class Parse:
    """A sentence as vectors, and the targets to fit."""

    vectors: np.ndarray  # (n, S, H) of its words at each layer
    target: np.ndarray  # (n, n) distances, or (n,) depths


class StructuralProbes(nn.Module):
    """The maps of S layers, (S, H, k)."""

    def __init__(self, layers: int, hidden: int, rank: int, is_distance: bool) -> None:
        super().__init__()
        self.is_distance = is_distance
        self.maps = nn.Parameter(torch.empty(layers, hidden, min(rank, hidden)).uniform_(-RANGE, RANGE))

    def forward(self, vectors: Tensor) -> Tensor:
        """Vectors (S, B, n, H) to squared distances (S, B, n, n), or squared lengths (S, B, n)."""
        found = vectors @ self.maps.unsqueeze(1)
        lengths = found.square().sum(-1)
        if not self.is_distance:
            return lengths
        products = found @ found.transpose(2, 3)
        return (lengths.unsqueeze(3) + lengths.unsqueeze(2) - 2 * products).clamp(min=0)

    def loss(self, parses: Sequence[Parse]) -> Tensor:
        """Return the loss of each sentence at each layer, (S, B): the mean absolute error over its words or pairs."""
        vectors, target, mask = _padded(parses)
        errors = (self(vectors) - target).abs() * mask
        return errors.flatten(2).sum(2) / mask.flatten(1).sum(1)

    @torch.inference_mode()
    def losses(self, parses: Sequence[Parse]) -> np.ndarray:
        """Return the mean loss over sentences at each layer, (S,)."""
        self.eval()
        parts = [self.loss(parses[at : at + BATCH]) for at in range(0, len(parses), BATCH)]
        return np.asarray(torch.cat(parts, 1).mean(1).double())

    @torch.inference_mode()
    def answers(self, vectors: np.ndarray) -> np.ndarray:
        """Return the squared distances (S, n, n), or lengths (S, n), of the words of one sentence (n, S, H)."""
        self.eval()
        return self(torch.from_numpy(vectors.astype(np.float32)).transpose(0, 1).unsqueeze(1)).squeeze(1).numpy()


def fit_structural(train: Sequence[Parse], select: Sequence[Parse], *, seed: int, rank: int = RANK) -> StructuralProbes:
    """Fit the probes of all layers in parallel; the shape of the targets decides between distances and depths."""
    torch.manual_seed(seed)
    _, layers, hidden = train[0].vectors.shape
    probes = StructuralProbes(layers, hidden, rank, train[0].target.ndim == 2)
    batches = shuffled_batches(len(train), BATCH, seed)

    def steps() -> Iterator[Tensor]:
        for batch in itertools.islice(batches, max(FEWEST_STEPS, -(-len(train) // BATCH))):
            yield probes.loss([train[place] for place in batch]).mean(1).sum()

    optimizer = torch.optim.Adam(probes.parameters(), RATE)
    fit_side_by_side(probes, optimizer, PLAN, steps, lambda: probes.losses(select))
    return probes


def _padded(parses: Sequence[Parse]) -> tuple[Tensor, Tensor, Tensor]:
    """Return vectors (S, B, n, H), targets (B, n, n) or (B, n), and a mask of the targets' shape."""
    longest, dims = max(len(one.vectors) for one in parses), parses[0].target.ndim
    vectors = np.zeros((len(parses), longest, *parses[0].vectors.shape[1:]), np.float32)
    target = np.zeros((len(parses), *[longest] * dims), np.float32)
    mask = np.zeros_like(target)
    for place, one in enumerate(parses):
        inside = tuple(slice(len(one.vectors)) for _ in range(dims))
        vectors[place, : len(one.vectors)], target[place][inside], mask[place][inside] = one.vectors, one.target, 1
    return torch.from_numpy(vectors).permute(2, 0, 1, 3).contiguous(), torch.from_numpy(target), torch.from_numpy(mask)
