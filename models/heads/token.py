"""The head with one answer per token, for tagging words."""

from __future__ import annotations

from torch import Tensor

from models.heads.linear import LinearHead


class TokenClassifier(LinearHead):
    """Dropout and a linear layer over every token's vector: logits for each token.

    On word vectors alone (model/backbone=none) it classifies each word independently of its neighbours.
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

        places: (N,) positions in the flattened (B, T), to get only those tokens' logits, in that order: (N, C).
        """
        return self.score(self.encode(input_ids, attention_mask, token_type_ids, places))
