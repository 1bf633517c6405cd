"""Any backbone with a dropout and a linear head."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from models.dropout import Dropout


class SequenceClassifier(nn.Module):
    """Text to logits: `bert` makes one vector a text of (input_ids, attention_mask, token_type_ids).

    `architecture` is what models/save.py writes so that the model can be built again, in the words of
    transformers' BertConfig.
    """

    def __init__(self, bert: nn.Module, num_labels: int, dropout: float, architecture: dict[str, Any]) -> None:
        super().__init__()
        self.bert = bert
        self.dropout = Dropout(dropout)
        self.classifier = nn.Linear(getattr(bert.pooler, "width", architecture["hidden_size"]), num_labels)
        self.architecture = architecture

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """input_ids, attention_mask (1 for real tokens), token_type_ids: (B, T) int64. Returns logits (B, C).

        A mask of None says that nothing is padded and saves its cost; only the caller knows that without a wait
        for the device.
        """
        out: Tensor = self.classifier(self.dropout(self.bert(input_ids, attention_mask, token_type_ids)))
        return out
