"""The interface of a readout, which maps token vectors (B, T, H) to one vector per text, or to new token vectors.

To add one: write models/readouts/<name>.py with a subclass of Readout of that name in CamelCase, built with `hidden`
(H), `layers` (of the backbone) and the options of its YAML, and conf/model/readout/<name>.yaml.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.hooks import ALL, LayerHook, Wanted
from models.errors import ModelError


class Readout(nn.Module):
    """Subclasses implement forward(states, mask) and override the attributes below if the defaults do not fit.

    states: (B, T, H) of the last layer, or with layers_read="all" a list of layers + 1 such tensors, the embeddings'
    first; mask: (B, T), 1 for real tokens, None if nothing is padded.
    """

    layers_read: Literal["last", "all"] = "last"
    first: int | None = None  # it reads only the first so many tokens, so the last layer computes only those
    width: int | None = None  # of the vector it returns; None: H
    head_dropout: float | None = None  # dropout on that vector before the head; None: model.dropout
    keeps_tokens: bool = False  # it returns one vector per token, (B, T, width), for heads that read tokens
    longest: int | None = None  # maximum number of tokens; None: the backbone's
    texts: Literal[1, 2] = 1  # 2: it tells the two texts of a pair apart, and needs pairs
    reads_apart: bool = False  # the encoder reads each text of a pair separately; `compare` joins the two vectors

    def hooks(self) -> tuple[LayerHook, ...]:
        """New hooks for one forward pass, called between the layers of our encoder; most readouts have none."""
        return ()

    def compare(self, vectors: Tensor) -> Tensor:
        """Map (2B, H), vectors of all first texts, then all second texts, to (B, width); only if `reads_apart`."""
        raise NotImplementedError

    @property
    def wanted(self) -> Wanted:
        """The positions that it reads, in the form that the encoder takes."""
        return ALL if self.first is None else Wanted(self.first)

    @property
    def reads_all_layers(self) -> bool:
        """Does it need the states of every layer?"""
        return self.layers_read == "all"

    def read_out(
        self, states: Sequence[Tensor] | Tensor, mask: Tensor | None, segments: Tensor | None = None
    ) -> Tensor:
        """Compute one vector per text, (B, width), from the states of the layers that it reads, the last layer's last.

        A readout that keeps tokens returns (B, T, width). segments: (B, T), 1 for tokens of the second text; used by
        readouts of two texts.
        """
        of_texts = () if self.texts == 1 else (segments,)
        out: Tensor = self(list(states) if self.reads_all_layers else states[-1], mask, *of_texts)
        return out


def masked_sum(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Sum the vectors (B, T, H) of real tokens, (B, H).

    Computed as a matrix product, which avoids a (B, T, H) product of mask and vectors.
    """
    if mask is None:
        return hidden.sum(1)
    return torch.bmm(mask.to(hidden.dtype).unsqueeze(1), hidden).squeeze(1)


def count_tokens(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Count the real tokens of each row, (B, 1); at least 1, so that an empty text gives zeros and not NaN."""
    if mask is None:
        return hidden.new_full((hidden.shape[0], 1), float(hidden.shape[1]))
    return mask.sum(1, keepdim=True).clamp(min=1).to(hidden.dtype)


def check_length(tokens: int, places: int) -> None:
    """Raise ModelError for a text of more than `places` tokens."""
    if tokens > places:
        raise ModelError(f"a text of {tokens} tokens: this head was made for {places}")


def flatten_tokens(vectors: Tensor, mask: Tensor | None, places: int) -> Tensor:
    """Concatenate the token vectors (B, T, W) to (B, places x W), with zeros where there is no real token.

    Raises ModelError for texts of more tokens than `places`.
    """
    check_length(vectors.shape[1], places)
    if mask is not None:
        vectors = vectors * mask.unsqueeze(-1)
    return F.pad(vectors, (0, 0, 0, places - vectors.shape[1])).flatten(1)
