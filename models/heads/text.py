"""The head with one answer per text: classes or a number."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from models.heads.linear import LinearHead
from models.heads.target_scale import TARGETS, fold_target_scale
from models.json_types import JsonObject


class SequenceClassifier(LinearHead):
    """Maps one vector per text to logits, with dropout and a linear layer."""

    reads = "text"
    auto_class = "AutoModelForSequenceClassification"
    stock_class = "BertForSequenceClassification"
    stock_readout = "cls"

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        states: Tensor | None = None,
    ) -> Tensor:
        """input_ids, attention_mask (1 for real tokens), token_type_ids: (B, T) int64. Returns logits (B, C).

        states: (layers read, B, T, H), the backbone's precomputed output for these texts, used instead of the ids.

        A mask of None means that nothing is padded, and is cheaper; only the caller can know this without waiting
        for the device.
        """
        if self.exits is not None and not self.exits.training and states is None:
            early: Tensor = self.exits(self, input_ids, attention_mask, token_type_ids)
            return early
        if states is None:
            added = None if self.added is None else self.added(input_ids, attention_mask, token_type_ids)
            return self.score(self.encode(input_ids, attention_mask, token_type_ids), added)
        return self.score(self.bert.pooler.read_out(states, attention_mask))

    def labels(self, label_names: Sequence[str]) -> JsonObject:
        """The names of the classes, or of the predicted number, and transformers' name for the loss."""
        problem_type = self.spec.problem_type or "single_label_classification"
        return super().labels(list(label_names) or ["value"]) | {"problem_type": problem_type}

    def saved_tensors(self) -> dict[str, Tensor]:
        """The tensors of the saved file; a stock class has no target scale, so it is folded into the last layer."""
        tensors = super().saved_tensors()
        if TARGETS in self.architecture and self.is_stock():
            head = "classifier.weight", "classifier.bias"
            tensors |= zip(head, fold_target_scale(tensors[head[0]], tensors[head[1]], self.architecture[TARGETS]))
        return tensors
