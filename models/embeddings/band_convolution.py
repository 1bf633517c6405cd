"""Embeds frames of sound, which take the place of tokens: a convolution over frequency bands, then a linear layer.

A pattern such as a harmonic or an onset means much the same a little higher or lower in frequency, so the convolution
shares its weights across bands. Stacked frames (data.stack_frames) are its channels, which preserves the order of
events within 128 ms. After max pooling over neighbouring bands comes the projection. Each input frame is embedded on
its own, so padding has no effect. Source of convolutions before a transformer: Xiao et al. 2021, arXiv 2106.14881.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.embeddings.base import Tokens, WordVectors
from models.errors import ModelError


class BandConvolution(WordVectors):
    """The embedding. Its options are those of conf/model/embedding/band_convolution.yaml.

    vocab_size is the width of a frame: bands x stacked frames, with the values of each band next to each other.
    """

    def __init__(
        self, vocab_size: int, hidden: int, pad_id: int, tokens: Tokens | None,
        *, stacked: int, maps: int, kernel: int, stride: int, pool: int, first: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        bands, rest = divmod(vocab_size, stacked)
        if rest:
            raise ModelError(
                f"model.embedding.stacked={stacked}: {vocab_size} features cannot be split into {stacked} frames. "
                "Try: the value of data.stack_frames"
            )
        places = (bands + 2 * (kernel // 2) - kernel) // stride + 1
        if kernel > bands or pool > places:
            raise ModelError(
                f"model.embedding.kernel={kernel}, model.embedding.pool={pool}: a frame has {bands} bands, so "
                f"the pattern fits in {max(places, 0)} places. Try: lower ones"
            )
        self.frame_width, self.bands, self.stacked = vocab_size, bands, stacked
        self.places, self.pool = places, pool  # convolution outputs per frame, and how many are pooled into one
        self.convolution = nn.Conv1d(stacked, maps, kernel, stride, padding=kernel // 2)
        self.projection = nn.Linear(maps * (places // pool), hidden)
        self.first = nn.Parameter(torch.zeros(hidden)) if first else None

    def forward(self, ids: Tensor) -> Tensor:
        """Embed frames (B, T, F) float32 as vectors (B, T, H)."""
        return self.at_places(ids, torch.arange(ids.shape[1], device=ids.device))

    def at_places(self, ids: Tensor, places: Tensor) -> Tensor:
        """Embed frames (..., F), given their positions in their rows (broadcast to (...)), as vectors (..., H)."""
        channels = ids.reshape(-1, self.bands, self.stacked).transpose(1, 2)
        maps = F.max_pool1d(F.relu(self.convolution(channels)), self.pool)
        vectors: Tensor = self.projection(maps.flatten(1)).view(*ids.shape[:-1], -1)
        if self.first is None:
            return vectors
        return torch.where((places == 0).unsqueeze(-1), self.first.to(vectors.dtype), vectors)
