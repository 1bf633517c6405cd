"""A plain BERT with the parameter names of transformers' BERT, so that checkpoints go both ways.

Padding is masked by an additive bias, built once a forward pass; nothing here waits for the device.
Source of the architecture: Devlin et al. 2019; tested equal to transformers on the same weights.

Where compression methods reach in, by dotted names such as `bert.encoder.layer.0.attention.self`:
- attention scores: SelfAttention.scores; queries, keys and values: its three linear layers
- hidden states of all layers: the list given as `keep` to Bert or Encoder
- head gates: the input of `attention.output`, (B, T, heads x head size); neuron gates: the input of `output`
- kept tokens: between two layers, by gathering `hidden` and the last axis of `bias` alike
- fewer heads or neurons: cut the linear layers; the number of heads is read from their width
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from models.architecture import describe_architecture
from models.backbones.attention import Attention, ResidualOutput, padding_bias
from models.backbones.base import Backbone
from models.backbones.bert_embeddings import Embeddings
from models.backbones.dropout import TokenDropout
from models.backbones.initialise import init_weights
from models.embeddings.base import Tokens
from models.errors import ModelError
from models.network import SequenceClassifier
from models.parts import make_readout
from models.readouts.base import Readout
from models.settings import ModelSettings


class Intermediate(nn.Module):
    """The widening half of the feed-forward block, with the exact (erf) GELU.

    erf and not tanh: 4.8 times faster in torch's CPU kernels, and what BERT was trained with.
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

    def forward(
        self, hidden: Tensor, bias: Tensor | None, first: int | None = None, places: Tensor | None = None
    ) -> Tensor:
        """(B, T, H) to (B, T, H), or to (B, first, H): the states of the first tokens only.

        places: (N,) of the flattened (B, T): only the states there, (N, H).
        """
        attended = self.attention(hidden, bias, first)
        if places is not None:
            attended = attended.flatten(0, 1).index_select(0, places)
        out: Tensor = self.output(self.intermediate(attended), attended)
        return out


class Encoder(nn.Module):
    """The stack of layers."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.layer = nn.ModuleList(Layer(settings) for _ in range(settings.layers))

    def forward(
        self,
        hidden: Tensor,
        attention_mask: Tensor | None = None,
        keep: list[Tensor] | None = None,
        first: int | None = None,
        places: Tensor | None = None,
        inline: nn.ModuleList | None = None,
    ) -> Tensor:
        """The last layer's output for embeddings (B, T, H) and their mask (B, T), None for no padding.

        keep: a list that gets every state, the embeddings' first: layers + 1 tensors (B, T, H).
        first: the last layer computes only the states (B, first, H) of that many first tokens, which is all that
        some readouts look at: the same numbers for 10/12 less of its linear work.
        places: (N,) of the flattened (B, T): the last layer's feed-forward half is computed there alone; (N, H).
        inline: modules whose results are added to what goes into each layer, see models/readouts/base.py.
        """
        bias = None if attention_mask is None else padding_bias(attention_mask, hidden.dtype)
        last = self.layer[-1]
        keep = [] if keep is None and inline is not None else keep
        for index, layer in enumerate(self.layer):
            if keep is not None:
                keep.append(hidden)
            if inline is not None:
                hidden = hidden + inline[index](keep, attention_mask)
            hidden = layer(hidden, bias, first, places) if layer is last else layer(hidden, bias)
        if keep is not None:
            keep.append(hidden)
        return hidden


class Bert(Backbone):
    """Embeddings, encoder (None for a bag of words) and the readout under BERT's name for it, `pooler`."""

    def __init__(
        self, embeddings: Embeddings, encoder: Encoder | None, pooler: Readout, token_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.encoder = encoder
        self.pooler = pooler
        self.token_dropout = TokenDropout(token_dropout)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        keep: list[Tensor] | None = None,
    ) -> Tensor:
        """(B, T) ids and mask (1 for real tokens; None when nothing is padded) to one vector a text, (B, H).

        keep: a list that gets every layer's output, as in Encoder.
        """
        pooled = self.token_dropout(input_ids, attention_mask)
        hidden = self.embeddings(input_ids, token_type_ids)
        if self.encoder is None:
            out: Tensor = self.pooler(hidden, pooled)
            return out
        readout = self.pooler
        first = readout.first if keep is None else None  # who keeps states wants whole ones
        states = [] if keep is None and readout.reads_all_layers else keep  # None: no layer's states outlive the next
        hidden = self.encoder(hidden, attention_mask, states, first, inline=readout.inline)
        return readout.read_out(states or [hidden], pooled)

    def embedding_parts(self) -> list[nn.Module]:
        """The module of tables, norm and dropout."""
        return [self.embeddings]

    def encoder_parts(self) -> list[nn.Module]:
        """The embeddings, and the layers where there are any."""
        return [self.embeddings] if self.encoder is None else [self.embeddings, self.encoder]

    def word_vectors(self) -> nn.Module:
        """The word table, or what computes its rows."""
        return self.embeddings.word_embeddings

    def state_shape(self) -> tuple[int, int]:
        """Width of the states and number of layers, 0 for a bag of words."""
        layers = 0 if self.encoder is None else len(self.encoder.layer)
        return self.embeddings.token_type_embeddings.embedding_dim, layers


def build_bert(
    settings: ModelSettings, num_labels: int, vocab_size: int, pad_id: int, tokens: Tokens | None = None
) -> SequenceClassifier:
    """Our BERT with a classification head and random weights."""
    if settings.heads < 1 or settings.hidden % settings.heads:
        raise ModelError(
            f"model.hidden={settings.hidden} does not divide into model.heads={settings.heads}. "
            f"Try: model.heads={_heads(settings.hidden)}"
        )
    embeddings = Embeddings(settings, vocab_size, settings.hidden, pad_id, tokens)
    bert = Bert(embeddings, Encoder(settings), make_readout(settings.readout, settings.hidden, settings.layers))
    architecture = describe_architecture(settings, settings.hidden, vocab_size, pad_id)
    model = SequenceClassifier(bert, num_labels, settings.dropout, architecture)
    init_weights(model, settings.initializer_range)
    return model


def _heads(hidden: int) -> int:
    """A number of heads that divides `hidden`, close to one for each 64 dimensions as in BERT."""
    return max(count for count in range(1, max(1, hidden // 64) + 1) if hidden % count == 0)
