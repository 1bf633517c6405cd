"""The interface of a backbone: from texts to vectors, one per text or one per token."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.json_types import JsonObject
from models.readouts.base import Readout

TOKEN = 5  # an id that no model family uses for padding


class Backbone(nn.Module):
    """Everything below the head: the encoder, and the readout under its name in BERT, `pooler`.

    forward(input_ids, attention_mask, token_type_ids, hooks, only): ids (B, T) int64 or frames (B, T, F) float32, mask
    (B, T) (1 for real tokens; None: no padding) and segments (B, T) to one vector per text, (B, H), or, with a readout
    that keeps tokens, one per token, (B, T, H). hooks: see models/backbones/hooks.py. only: the positions to compute;
    None: those that the readout reads; with `places`, the result is (N, H).
    """

    pooler: Readout
    frame_width: int | None = None  # F of a backbone that reads audio frames; None: it reads ids
    takes_segments: bool = True  # does it use token_type_ids to distinguish a first from a second text?

    def blank(self, rows: int, length: int, device: torch.device | None = None) -> Tensor:
        """A dummy input for recording or tracing a model: one token everywhere, (B, T) int64, or zeros, (B, T, F)."""
        if self.frame_width is not None:
            return torch.zeros(rows, length, self.frame_width, device=device)
        return torch.full((rows, length), TOKEN, device=device)

    def embedding_parts(self) -> list[nn.Module]:
        """The modules that turn ids into vectors."""
        raise NotImplementedError

    def encoder_parts(self) -> list[nn.Module]:
        """All modules below the readout."""
        raise NotImplementedError

    def word_vectors(self) -> nn.Module:
        """The module that holds or computes the vector of each word."""
        raise NotImplementedError

    def draw_weights(self, network: nn.Module, architecture: JsonObject) -> None:
        """Initialise the weights of the network with this backbone, except those that the backbone already has."""
        raise NotImplementedError

    def saved_name(self, name: str) -> str:
        """The name of a network's tensor in the saved file, which may be that of a transformers class."""
        return name

    def state_shape(self) -> tuple[int, int]:
        """The width of the states and the number of layers."""
        raise NotImplementedError
