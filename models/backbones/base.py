"""The interface of a backbone: from texts to vectors, one for each text or for each of its tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.json_types import JsonObject
from models.readouts.base import Readout

TOKEN = 5  # no family pads with this id


class Backbone(nn.Module):
    """Everything below the head: the encoder, and the readout under BERT's name for it, `pooler`.

    forward(input_ids, attention_mask, token_type_ids, hooks, only): ids (B, T) int64 or frames (B, T, F) float32, mask
    (B, T) (1 for real tokens, None when nothing is padded) and segments (B, T) to one vector a text, (B, H), or to one
    a token, (B, T, H), under a readout that keeps the tokens. hooks: see models/backbones/hooks.py. only: the positions
    that are wanted, None for those that the readout reads; with `places` the result is (N, H).
    """

    pooler: Readout
    frame_width: int | None = None  # F of a backbone that reads frames of sound; None: it reads ids
    takes_segments: bool = True  # does it tell a first from a second text by token_type_ids?

    def blank(self, rows: int, length: int, device: torch.device | None = None) -> Tensor:
        """An input to record or trace a model with: one token everywhere, (B, T) int64, or zeros, (B, T, F)."""
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
        """Draw the first weights of the network around this backbone, except for those that the backbone came with."""
        raise NotImplementedError

    def saved_name(self, name: str) -> str:
        """The name of a tensor of the network in its saved file, where it is saved as a class of transformers."""
        return name

    def state_shape(self) -> tuple[int, int]:
        """Width of the states and number of layers."""
        raise NotImplementedError
