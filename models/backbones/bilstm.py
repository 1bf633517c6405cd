"""A Bi-LSTM over word vectors: the classic text encoder before attention (Graves & Schmidhuber 2005).

Each layer reads the text forwards and backwards. Only real tokens are reversed, so padding never changes a state. The
states of both directions are concatenated: (B, T, H), with H / 2 per direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from models.architecture import describe_architecture
from models.backbones.bert import Bert
from models.backbones.bert_embeddings import Embeddings
from models.backbones.dropout import Dropout
from models.backbones.hooks import LayerHook, Wanted, gather_positions
from models.embeddings.base import Tokens
from models.errors import ModelError
from models.json_types import JsonObject
from models.parts import make_readout
from models.readouts.base import Readout
from models.settings import ModelSettings

SHAPE = "bilstm"  # key in config.json: the number of layers, and the width of the word vectors


class Directions(nn.Module):
    """One layer: a forward and a backward LSTM."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.forwards = nn.LSTM(inputs, hidden // 2, batch_first=True)
        self.backwards = nn.LSTM(inputs, hidden // 2, batch_first=True)

    def forward(self, states: Tensor, reverse: Tensor | None) -> Tensor:
        """(B, T, inputs) to (B, T, H). reverse: (B, T), the positions in backward order; None: no padding."""
        ahead, _ = self.forwards(states)
        back, _ = self.backwards(self._turned(states, reverse))
        return torch.cat([ahead, self._turned(back, reverse)], -1)

    @staticmethod
    def _turned(states: Tensor, reverse: Tensor | None) -> Tensor:
        return states.flip(1) if reverse is None else gather_positions(states, reverse)


class BiLstm(Bert):
    """A BERT's embeddings and readout with recurrent layers between them."""

    def __init__(self, embeddings: Embeddings, layers: int, hidden: int, pooler: Readout, dropout: float) -> None:
        super().__init__(embeddings, None, pooler)
        widths = [embeddings.width, *[hidden] * (layers - 1)]
        self.lstm = nn.ModuleList(Directions(width, hidden) for width in widths)
        self.dropout = Dropout(dropout)  # between layers
        self.hidden = hidden

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        hooks: Sequence[LayerHook] = (),
        only: Wanted | None = None,
    ) -> Tensor:
        """(B, T) ids, mask and segments to (B, H), or (B, T, H) with a readout that keeps tokens.

        Hooks see only the last states.
        """
        hidden = self.embeddings(input_ids, token_type_ids)
        reverse = None if attention_mask is None else backward_places(attention_mask)
        for layer in self.lstm:
            hidden = layer(hidden if layer is self.lstm[0] else self.dropout(hidden), reverse)
        return self.read_last(hidden, attention_mask, token_type_ids, hooks, only)

    def encoder_parts(self) -> list[nn.Module]:
        """The embeddings and the recurrent layers."""
        return [self.embeddings, self.lstm]

    def state_shape(self) -> tuple[int, int]:
        """The width of the states and the number of layers."""
        return self.hidden, len(self.lstm)


def backward_places(mask: Tensor) -> Tensor:
    """The positions that reverse each text, (B, T) int64; padding stays in place. Applying them twice changes nothing.

    mask: (B, T), 1 for real tokens, which come first.
    """
    places = torch.arange(mask.shape[1], device=mask.device).unsqueeze(0)
    lengths = mask.sum(1, keepdim=True)
    return torch.where(places < lengths, lengths - 1 - places, places)


def build_bilstm(
    settings: ModelSettings, *, vocab_size: int, pad_id: int, tokens: Tokens | None = None
) -> tuple[BiLstm, JsonObject]:
    """A Bi-LSTM without a head, and its architecture; `draw_weights` must be called later."""
    if settings.hidden % 2:
        raise ModelError(
            f"model.hidden={settings.hidden} cannot be split into two directions. "
            f"Try: model.hidden={settings.hidden + 1}"
        )
    words = settings.dims or settings.hidden
    embeddings = Embeddings(settings, vocab_size, words, pad_id, tokens)
    readout = make_readout(settings.readout, settings.hidden, 0)
    network = BiLstm(embeddings, settings.layers, settings.hidden, readout, settings.dropout)
    shape: JsonObject = {SHAPE: {"layers": settings.layers, "words": words}}
    return network, describe_architecture(settings, settings.hidden, vocab_size, pad_id) | shape


def settings_of_shape(settings: ModelSettings, shape: object) -> ModelSettings:
    """Copy the entry of a config.json into the settings for `build_bilstm`; ModelError if the entry is invalid."""
    entry = cast(JsonObject, shape) if isinstance(shape, dict) else {}
    layers, words = entry.get("layers"), entry.get("words")
    if not (isinstance(layers, int) and isinstance(words, int) and 1 <= layers <= 48 and 1 <= words <= 8192):
        raise ModelError(f"config.json: {SHAPE}={shape} does not describe a Bi-LSTM. Get a fresh copy")
    settings.family, settings.layers, settings.dims = SHAPE, layers, words
    return settings
