"""Any backbone with a dropout and a linear head."""

from __future__ import annotations

from typing import Any, Self

from torch import Tensor, nn

from models.backbones.dropout import Dropout
from models.readouts.base import read


class SequenceClassifier(nn.Module):
    """Text to logits: `bert` makes one vector a text of (input_ids, attention_mask, token_type_ids).

    `architecture` is what models/checkpoints/save.py writes so that the model can be built again, in the words of
    transformers' BertConfig.
    """

    def __init__(self, bert: nn.Module, num_labels: int, dropout: float, architecture: dict[str, Any]) -> None:
        super().__init__()
        self.bert = bert
        self.dropout = Dropout(getattr(bert.pooler, "head_dropout", dropout))
        self.classifier = nn.Linear(getattr(bert.pooler, "width", architecture["hidden_size"]), num_labels)
        self.unit: nn.Module = nn.Identity()  # of a regression's answers, see models/heads/target_scale.py
        self.architecture = architecture
        self.frozen: list[nn.Module] = []  # kept in prediction mode, see models/backbones/freeze.py

    def train(self, mode: bool = True) -> Self:
        """As ever, except that what is frozen goes on predicting: no dropout."""
        super().train(mode)
        for part in self.frozen:
            part.eval()
        return self

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        states: Tensor | None = None,
    ) -> Tensor:
        """input_ids, attention_mask (1 for real tokens), token_type_ids: (B, T) int64. Returns logits (B, C).

        states: (layers read, B, T, H) that the backbone has made of these texts before, in place of the ids.

        A mask of None says that nothing is padded and saves its cost; only the caller knows that without a wait
        for the device.
        """
        if states is None:
            vector = self.bert(input_ids, attention_mask, token_type_ids)
        else:
            vector = read(self.bert.get_submodule("pooler"), states, attention_mask)
        out: Tensor = self.unit(self.classifier(self.dropout(vector)))
        return out


def longest_input(model: nn.Module) -> int | None:
    """The longest text in tokens that a model of ours takes, None for no limit."""
    positions: int | None = model.architecture.get("max_position_embeddings")  # type: ignore[operator, union-attr]
    room: int | None = getattr(model.bert.pooler, "longest", None)  # type: ignore[union-attr]
    return min((limit for limit in (positions, room) if limit is not None), default=None)
