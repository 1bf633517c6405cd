"""A plain BERT with the parameter names of transformers' BERT, so that checkpoints work in both directions.

Padding is masked by an additive bias, built once per forward pass; nothing here waits for the device.
Source of the architecture: Devlin et al. 2019; tests check that it equals transformers on the same weights.

Where compression methods hook in, by dotted names such as `bert.encoder.layer.0.attention.self`:
- attention scores: SelfAttention.scores; queries, keys and values: its three linear layers
- hidden states of all layers, modules between layers, token dropping, early exits: models/backbones/hooks.py
- head gates: the input of `attention.output`, (B, T, heads x head size); neuron gates: the input of `output`
- fewer heads or neurons: cut the linear layers; the number of heads follows from their width
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from models.architecture import describe_architecture
from models.backbones.attention import Attention, ResidualOutput, SelfAttention, padding_bias
from models.backbones.base import Backbone
from models.backbones.bert_embeddings import Embeddings
from models.backbones.hooks import ALL, LayerHook, Recorder, State, Wanted, gather_positions
from models.backbones.initialise import init_weights
from models.backbones.lengths import Lengths
from models.backbones.token_dropping import choose_tokens, drop_tokens, drops_any, significance
from models.embeddings.base import Tokens, WordVectors
from models.errors import ModelError
from models.json_types import JsonObject
from models.parts import make_readout
from models.readouts.base import Readout
from models.settings import ModelSettings


class Intermediate(nn.Module):
    """The first, widening half of the feed-forward block, with the exact (erf) GELU.

    erf rather than tanh, because it is 4.8 times faster in torch's CPU kernels and BERT was trained with it.
    """

    def __init__(self, hidden: int, intermediate: int) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden, intermediate)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, T, H) to (B, T, I)."""
        return F.gelu(self.dense(hidden))


class Layer(nn.Module):
    """Attention and feed-forward block."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        intermediate = settings.intermediate or 4 * settings.hidden
        self.attention = Attention(settings)
        self.intermediate = Intermediate(settings.hidden, intermediate)
        self.output = ResidualOutput(intermediate, settings)

    def forward(self, hidden: Tensor, bias: Tensor | None, only: Wanted = ALL) -> Tensor:
        """(B, T, H) to (B, T, H), or to the wanted states only: (B, first, H) or (N, H)."""
        attended = self.attention(hidden, bias, only.first)
        if only.places is not None:
            attended = only.select(attended)
        out: Tensor = self.output(self.intermediate(attended), attended)
        return out

    @property
    def has_heads(self) -> bool:
        """Has pruning left it a head? Only heads tell which tokens matter, so without one it can drop none."""
        return isinstance(self.attention.self, SelfAttention)

    def shorten(self, state: State, lengths: Lengths, number: int, *, keeps_whole: bool) -> State:
        """The layer's output at the positions that it keeps; number: the layer's index, from 0.

        Positions are dropped right after the attention, so that all later products have fewer rows.
        """
        mixed, weights = self.attention.self.weigh(state.hidden, state.bias)
        index, mask = choose_tokens(significance(weights, state.mask), state.mask, lengths, number)
        kept = drop_tokens(state, index, mask, keeps_whole=keeps_whole)
        attended = self.attention.output(gather_positions(mixed, index), kept.hidden)
        return replace(kept, hidden=self.output(self.intermediate(attended), attended))


class Encoder(nn.Module):
    """The stack of layers.

    lengths: how many tokens leave each layer, all where it has no heads; None: all. skipped: layers, from 0, that
    training skips.
    """

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(settings) for _ in range(settings.layers))
        self.lengths: Lengths | None = None
        self.skipped: frozenset[int] = frozenset()

    def forward(self, state: State, hooks: Sequence[LayerHook] = (), only: Wanted = ALL) -> State:
        """The last layer's output, given that of the embeddings, (B, T, H).

        only: the last layer computes only the wanted positions, with the same results. That saves up to 10/12 of its
        linear work (first), or feed-forward work on the other tokens (places). If a hook needs whole states, it
        computes all positions. Positions that layers drop are put back, unless only [CLS] is wanted.
        """
        last = self.layer[-1]
        if not hooks and self.lengths is None and not self.skipped:
            hidden = state.hidden
            for layer in self.layer:
                hidden = layer(hidden, state.bias, only) if layer is last else layer(hidden, state.bias)
            return replace(state, hidden=hidden)
        is_whole = any(hook.needs_all_positions for hook in hooks)
        is_selected = False  # has the last layer computed only the wanted positions?
        for index in range(len(self.layer)):
            for hook in hooks:
                state = hook.before(index, state)
            if any(hook.stops(state) for hook in hooks):
                break
            if index in self.skipped:
                continue
            is_selected = self.layer[index] is last and not is_whole and (self.lengths is None or only.first == 1)
            state = self._step(index, state, only if is_selected else ALL, keeps_whole=is_whole or only.first != 1)
        state = state.restored()
        for hook in reversed(hooks):
            state = hook.after_last(state)
        return state if is_selected else replace(state, hidden=only.select(state.hidden))

    def _step(self, index: int, state: State, only: Wanted, *, keeps_whole: bool) -> State:
        """The output of one layer, with fewer positions if the layer drops some."""
        layer, lengths = cast(Layer, self.layer[index]), self.lengths
        is_whole = lengths is None or only is not ALL or not layer.has_heads
        if lengths is None or is_whole or not drops_any(lengths, index, state.hidden.shape[1]):
            return replace(state, hidden=layer(state.hidden, state.bias, only))
        return layer.shorten(state, lengths, index, keeps_whole=keeps_whole)


class Bert(Backbone):
    """Embeddings, encoder (None for a bag of words) and the readout under its name in BERT, `pooler`."""

    def __init__(self, embeddings: Embeddings, encoder: Encoder | None, pooler: Readout) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.encoder = encoder
        self.pooler = pooler
        self.takes_segments = embeddings.has_segments
        words = embeddings.word_embeddings
        self.frame_width = words.frame_width if isinstance(words, WordVectors) else None

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        hooks: Sequence[LayerHook] = (),
        only: Wanted | None = None,
    ) -> Tensor:
        """(B, T) ids or (B, T, F) frames, mask and segments to one vector per row, (B, H); otherwise as in Backbone."""
        assert self.encoder is not None, "a bag of words has its own forward"
        readout, hidden = self.pooler, self.embeddings(input_ids, token_type_ids)
        bias = None if attention_mask is None else padding_bias(attention_mask, hidden.dtype)
        only = readout.wanted if only is None else only
        # Without a recorder, no layer's states are kept longer than needed for the next layer.
        recorder = Recorder(needs_all_positions=False) if readout.reads_all_layers else None
        own = readout.hooks() if recorder is None else (recorder, *readout.hooks())
        state = self.encoder(State(hidden, bias, attention_mask), (*hooks, *own), only)
        lower = [] if recorder is None else recorder.states[:-1]
        if only.places is None:
            return readout.read_out([*lower, state.hidden], state.mask)
        return readout.read_out([*map(only.select, lower), state.hidden], None)

    def read_last(
        self, hidden: Tensor, mask: Tensor | None, segments: Tensor | None, hooks: Sequence[LayerHook],
        only: Wanted | None,
    ) -> Tensor:  # fmt: skip
        """Read the vector of each row, (B, H), from the final states (B, T, H); hooks see no other states."""
        state = State(hidden, mask=mask)
        for hook in reversed(hooks):
            state = hook.after_last(state)
        only = ALL if only is None else only
        mask = None if only.places is not None else state.mask
        return self.pooler.read_out([only.select(state.hidden)], mask, segments)

    def embedding_parts(self) -> list[nn.Module]:
        """The module with the tables, norm and dropout."""
        return [self.embeddings]

    def encoder_parts(self) -> list[nn.Module]:
        """The embeddings, and the layers if there are any."""
        return [self.embeddings] if self.encoder is None else [self.embeddings, self.encoder]

    def word_vectors(self) -> nn.Module:
        """The word table, or the module that computes its rows."""
        return self.embeddings.word_embeddings

    def draw_weights(self, network: nn.Module, architecture: JsonObject) -> None:
        """Draw all weights of the network."""
        init_weights(network, architecture["initializer_range"])

    def state_shape(self) -> tuple[int, int]:
        """The width of the states and the number of layers, 0 for a bag of words."""
        layers = 0 if self.encoder is None else len(self.encoder.layer)
        return self.embeddings.width, layers


def build_bert(
    settings: ModelSettings, *, vocab_size: int, pad_id: int, tokens: Tokens | None = None
) -> tuple[Bert, JsonObject]:
    """Our BERT without a head, and its architecture; `draw_weights` must be called later."""
    if settings.heads < 1 or settings.hidden % settings.heads:
        raise ModelError(
            f"model.hidden={settings.hidden} is not divisible by model.heads={settings.heads}. "
            f"Try: model.heads={_heads(settings.hidden)}"
        )
    embeddings = Embeddings(settings, vocab_size, settings.hidden, pad_id, tokens)
    bert = Bert(embeddings, Encoder(settings), make_readout(settings.readout, settings.hidden, settings.layers))
    return bert, describe_architecture(settings, settings.hidden, vocab_size, pad_id)


def _heads(hidden: int) -> int:
    """The largest number of heads, up to one per 64 dimensions as in BERT, that divides `hidden`."""
    return max(count for count in range(1, max(1, hidden // 64) + 1) if hidden % count == 0)
