"""The interface of word vectors that are more than a learned table.

To add one: models/embeddings/<name>.py with a subclass of WordVectors of that name in CamelCase, built with
`vocab_size`, `hidden`, `pad_id`, `tokens` and the options of its YAML, and conf/model/embedding/<name>.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

Tokens = Callable[[], Sequence[str]]  # returns the token of each id; called only by embeddings that read them


class WordVectors(nn.Module):
    """Subclasses implement forward(ids): token ids of any shape, or frames (..., F), to vectors (..., hidden)."""

    frame_width: int | None = None  # F of vectors that are made of frames of sound; None: of ids

    def notes(self) -> list[str]:
        """Tell what the user should know about these vectors, once."""
        return []

    def start_from(self, words: Tensor) -> None:
        """Fit what can be fitted to the word table (V or more, H) of a checkpoint."""

    def at_places(self, ids: Tensor, places: Tensor) -> Tensor:
        """Embed tokens that are not arranged in rows: their ids and their positions in the rows, to (N, hidden)."""
        found: Tensor = self(ids)
        return found

    def own_spreads(self) -> dict[nn.Module, float]:
        """The tables whose first values have a standard deviation of their own, and that."""
        return {}


class ComputedVectors(WordVectors):
    """Word vectors that no file holds, computed from the tokens in one of several modes."""

    mode: str

    def regenerable_bytes(self) -> dict[str, int]:
        """Count the bytes in memory that no file holds, by mode."""
        raise NotImplementedError

    def table(self, device: torch.device) -> Tensor:
        """Compute the vectors of all tokens, (V, d), at the first call."""
        raise NotImplementedError


def computed_vectors(model: nn.Module) -> ComputedVectors | None:
    """Find the part of a model that computes its word vectors; None where a table holds them."""
    return next((module for module in model.modules() if isinstance(module, ComputedVectors)), None)
