"""The interface of embeddings other than a learned table.

To add one: write models/embeddings/<name>.py with a subclass of WordVectors of that name in CamelCase, built with
`vocab_size`, `hidden`, `pad_id`, `tokens` and the options of its YAML, and conf/model/embedding/<name>.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

Tokens = Callable[[], Sequence[str]]  # returns the tokens in id order; called only by embeddings that need them


class WordVectors(nn.Module):
    """Subclasses implement forward(ids): token ids of any shape, or frames (..., F), to vectors (..., hidden)."""

    frame_width: int | None = None  # F if the input is frames of sound; None if it is token ids

    def notes(self) -> list[str]:
        """Notes on these vectors that the user gets once."""
        return []

    def start_from(self, words: Tensor) -> None:
        """Fit the parameters, as far as possible, to a checkpoint's word table (at least V rows, H)."""

    def at_places(self, ids: Tensor, places: Tensor) -> Tensor:
        """Embed tokens that are not arranged in rows as (N, hidden), given their ids and positions in the rows."""
        found: Tensor = self(ids)
        return found

    def own_spreads(self) -> dict[nn.Module, float]:
        """The tables whose initial values have their own standard deviation, with that value."""
        return {}


class ComputedVectors(WordVectors):
    """Word vectors that are not saved but computed from the tokens, in one of several modes."""

    mode: str

    def regenerable_bytes(self) -> dict[str, int]:
        """Count, for each mode, the bytes in memory that are not saved in any file."""
        raise NotImplementedError

    def table(self, device: torch.device) -> Tensor:
        """Return the vectors of all tokens, (V, d), computed at the first call."""
        raise NotImplementedError


def computed_vectors(model: nn.Module) -> ComputedVectors | None:
    """Find the module of a model that computes its word vectors; None if they are in a table."""
    return next((module for module in model.modules() if isinstance(module, ComputedVectors)), None)
