"""BERT's masked language model: the encoder, and a head that scores every word of the vocabulary at a position.

The parameter names are those of transformers' BertForMaskedLM. The output table is the word table itself (tied), a
separate trained table (own), or a frozen copy of the initial word vectors (fixed).

Without an encoder, states are the means of the neighbours' word vectors, and no layer transforms them: word2vec's CBOW
(Mikolov et al. 2013, arXiv 1301.3781), with the cross entropy over all words in place of a few sampled ones.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.bert import Bert
from models.backbones.bert_embeddings import Embeddings
from models.backbones.hooks import Wanted
from models.backbones.initialise import init_weights
from models.heads.base import HeadSpec
from models.heads.word_scores import WordScores
from models.json_types import JsonObject
from models.network import Network
from models.readouts.pooling import EveryToken, Neighbours

PREDICTIONS = "cls.predictions."


class Transform(nn.Module):
    """Linear layer, GELU and layer norm, before the output table."""

    def __init__(self, hidden: int, eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=eps)

    def forward(self, hidden: Tensor) -> Tensor:
        """Transform states (..., H) to (..., H)."""
        out: Tensor = self.LayerNorm(F.gelu(self.dense(hidden)))
        return out


class Predictions(nn.Module):
    """The transform, if states are transformed, a bias per word, and the table `decoder` unless it is shared with the
    embeddings or computed.
    """

    def __init__(self, hidden: int, vocab_size: int, eps: float, *, has_table: bool, has_transform: bool) -> None:
        super().__init__()
        self.transform = Transform(hidden, eps) if has_transform else nn.Identity()
        self.bias = nn.Parameter(torch.zeros(vocab_size))
        self.decoder = nn.Embedding(vocab_size, hidden) if has_table else None


class MaskedLM(Network):
    """Scores all words at positions of a text with masked words.

    Attach it to a backbone that already has its weights: `spec.output=fixed` copies the word vectors.
    """

    bert: Bert
    reads = "tokens"
    auto_class = "AutoModelForMaskedLM"
    stock_class = "BertForMaskedLM"
    reads_table = True

    def __init__(self, bert: Bert, architecture: JsonObject, spec: HeadSpec) -> None:
        super().__init__(bert, architecture)
        self.output = output = spec.output
        self.has_encoder = bert.encoder is not None
        # The head reads tokens, not a vector of the text.
        bert.pooler = EveryToken() if self.has_encoder else Neighbours()
        shape = architecture["hidden_size"], architecture["vocab_size"], architecture["layer_norm_eps"]
        is_computed = not isinstance(bert.embeddings.word_embeddings, nn.Embedding)
        has_table = output == "own" or (output == "fixed" and not is_computed)
        predictions = Predictions(*shape, has_table=has_table, has_transform=self.has_encoder)
        init_weights(predictions, architecture["initializer_range"])
        self.cls = nn.ModuleDict({"predictions": predictions})
        fixed = word_vectors(bert.embeddings, architecture["vocab_size"]) if output == "fixed" else None
        # Computed vectors are not weights: they are neither counted nor saved.
        self.register_buffer("fixed", fixed if is_computed else None, persistent=False)
        if fixed is not None and predictions.decoder is not None:
            predictions.decoder.weight.requires_grad_(False).copy_(fixed)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        places: Tensor | None = None,
    ) -> Tensor | WordScores:
        """Scores of all words at every position, (B, T, V).

        places: (N,) positions in the flattened (B, T); only those are scored. Their scores are returned as factors:
        multiplied out, they would be the largest tensor in training.
        """
        only = Wanted(places=places)
        if self.has_encoder:
            hidden = self.bert(input_ids, attention_mask, token_type_ids, only=only)
        else:  # the neighbours of a position are needed too
            hidden = only.select(self.bert(input_ids, attention_mask, token_type_ids))
        predictions: Any = self.cls["predictions"]
        hidden = predictions.transform(hidden)
        table = self.table()
        if places is None:
            return F.linear(hidden, table, predictions.bias)
        if torch.is_autocast_enabled(hidden.device.type):
            hidden = hidden.to(torch.get_autocast_dtype(hidden.device.type))
        return WordScores(hidden, table, predictions.bias)

    def table(self) -> Tensor:
        """The output table, (V, H)."""
        if self.output == "tied":
            tied: Tensor = self.bert.embeddings.word_embeddings.weight  # type: ignore[assignment]
            return tied
        found = self.get_buffer("fixed") if self.fixed is not None else self.cls["predictions"].decoder.weight
        return found

    def stock_name(self) -> str | None:
        """BertForMaskedLM, which any tool can open, unless the word vectors are computed or there is no encoder."""
        return None if "embedding" in self.architecture or not self.has_encoder else self.stock_class

    def head_options(self) -> JsonObject:
        """Whether the output table is tied to the word table."""
        return {"tie_word_embeddings": self.output == "tied"}

    def saved_tensors(self) -> dict[str, Tensor]:
        """The tensors of the saved file, as BertForMaskedLM names them."""
        tensors = super().saved_tensors()
        if f"{PREDICTIONS}decoder.weight" in tensors:
            # If the table is untied, transformers also unties the bias and expects one in the decoder.
            tensors[f"{PREDICTIONS}decoder.bias"] = tensors[f"{PREDICTIONS}bias"].clone()
        return tensors


@torch.no_grad()
def word_vectors(embeddings: Embeddings, vocab_size: int) -> Tensor:
    """The vector of every word, (V, H), looked up or computed."""
    out: Tensor = embeddings.word_embeddings(torch.arange(vocab_size))
    return out.clone()
