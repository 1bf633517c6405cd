"""Embeds frames of sound, which take the place of tokens: a linear layer maps the features of each frame to a vector.

The first frame of a row has the role of [CLS] in a text: the input pipeline fills it with zeros, and a learned vector
replaces it. Without a projection, a vector is the frame itself, for baselines that average frames.
Source of frames as the tokens of a BERT: Elliott et al. 2021, arXiv 2103.12157.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.embeddings.base import Tokens, WordVectors
from models.errors import ModelError


class Frames(WordVectors):
    """The embedding. Its options are those of conf/model/embedding/frames.yaml; vocab_size is the width of a frame."""

    def __init__(
        self, vocab_size: int, hidden: int, pad_id: int, tokens: Tokens | None, *, project: bool, first: bool
    ) -> None:
        super().__init__()
        if not project and hidden != vocab_size:
            raise ModelError(
                f"model.embedding.project=false: frames are {vocab_size} wide, but the model {hidden}. "
                f"Try: model.hidden={vocab_size}, or model.embedding.project=true"
            )
        self.frame_width = vocab_size
        self.projection = nn.Linear(vocab_size, hidden) if project else nn.Identity()
        self.first = nn.Parameter(torch.zeros(hidden)) if first else None

    def forward(self, ids: Tensor) -> Tensor:
        """Embed frames (B, T, F) float32 as vectors (B, T, H)."""
        return self.at_places(ids, torch.arange(ids.shape[1], device=ids.device))

    def at_places(self, ids: Tensor, places: Tensor) -> Tensor:
        """Embed frames (..., F), given their positions in their rows (broadcast to (...)), as vectors (..., H)."""
        vectors: Tensor = self.projection(ids)
        if self.first is None:
            return vectors
        return torch.where((places == 0).unsqueeze(-1), self.first.to(vectors.dtype), vectors)
