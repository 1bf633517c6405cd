"""Frames of sound in the place of tokens, by a convolution over the bands before the linear layer.

A pattern such as a harmonic or an onset means much the same a little higher or lower, so its weights are shared over
the bands; stacked frames (data.stack_frames) are the channels, which keeps the order of what happens within 128 ms. The
largest answers among neighbouring bands are projected. Nothing is read beyond a frame, so padding has no effect.
Source of convolutions before a transformer: Xiao et al. 2021, arXiv 2106.14881.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.embeddings.base import Tokens, WordVectors
from models.errors import ModelError


class BandConvolution(WordVectors):
    """The embedding. Its options are those of conf/model/embedding/band_convolution.yaml.

    vocab_size is the width of a frame: bands x stacked frames, the values of a band side by side.
    """

    def __init__(
        self, vocab_size: int, hidden: int, pad_id: int, tokens: Tokens | None,
        *, stacked: int, maps: int, kernel: int, stride: int, pool: int, first: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        bands, rest = divmod(vocab_size, stacked)
        if rest:
            raise ModelError(
                f"model.embedding.stacked={stacked}: {vocab_size} features do not divide into {stacked} frames. "
                "Try: the value of data.stack_frames"
            )
        places = (bands + 2 * (kernel // 2) - kernel) // stride + 1
        if kernel > bands or pool > places:
            raise ModelError(
                f"model.embedding.kernel={kernel}, model.embedding.pool={pool}: a frame has {bands} bands, in "
                f"which such a pattern has {max(places, 0)} places. Try: lower ones"
            )
        self.frame_width, self.bands, self.stacked = vocab_size, bands, stacked
        self.places, self.pool = places, pool  # of a pattern in a frame, and how many of them become one
        self.convolution = nn.Conv1d(stacked, maps, kernel, stride, padding=kernel // 2)
        self.projection = nn.Linear(maps * (places // pool), hidden)
        self.first = nn.Parameter(torch.zeros(hidden)) if first else None

    def forward(self, ids: Tensor) -> Tensor:
        """Frames (B, T, F) float32 to vectors (B, T, H)."""
        return self.at_places(ids, torch.arange(ids.shape[1], device=ids.device))

    def at_places(self, ids: Tensor, places: Tensor) -> Tensor:
        """Frames (..., F) and their positions in their rows, which broadcast to (...), to vectors (..., H)."""
        channels = ids.reshape(-1, self.bands, self.stacked).transpose(1, 2)
        maps = F.max_pool1d(F.relu(self.convolution(channels)), self.pool)
        vectors: Tensor = self.projection(maps.flatten(1)).view(*ids.shape[:-1], -1)
        if self.first is None:
            return vectors
        return torch.where((places == 0).unsqueeze(-1), self.first.to(vectors.dtype), vectors)
