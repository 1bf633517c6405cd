"""The head for one answer a token: tags of words."""

from __future__ import annotations

from torch import Tensor

from models.heads.linear import LinearHead


class TokenClassifier(LinearHead):
    """Dropout and a linear layer over every token's vector: texts to logits for each token.

    On word vectors alone (model/backbone=none) it answers for each word without looking at its neighbours.
    """

    reads = "tokens"
    auto_class = "AutoModelForTokenClassification"
    stock_class = "BertForTokenClassification"
    stock_readout = "none"

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        places: Tensor | None = None,
    ) -> Tensor:
        """input_ids, attention_mask (1 for real tokens), token_type_ids: (B, T) int64. Returns logits (B, T, C).

        places: (N,) positions of the flattened (B, T), for logits of those tokens alone, in that order: (N, C).
        """
        return self.score(self.encode(input_ids, attention_mask, token_type_ids, places))
