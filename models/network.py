"""A network: a backbone and a head, and the shape that its config.json gives."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from torch import Tensor, nn

from models.backbones.base import Backbone
from models.backbones.dropout import Dropout


class Network(nn.Module):
    """Base class of all our networks.

    `bert` is the backbone under the name that BERT's checkpoints give it; `architecture` is what config.json will say
    of the network, in the words of transformers' BertConfig, enough to build it again.
    """

    bert: Backbone
    reads_table: ClassVar[bool] = False  # does the head read the whole table of word vectors?

    def __init__(self, bert: Backbone, architecture: dict[str, Any]) -> None:
        super().__init__()
        self.bert = bert
        self.architecture = architecture
        self.frozen: list[nn.Module] = []  # kept in prediction mode, see models/backbones/freeze.py

    def train(self, mode: bool = True) -> Self:
        """Switch to training, except for what is frozen: that goes on predicting, without dropout."""
        super().train(mode)
        for part in self.frozen:
            part.eval()
        return self

    def longest_input(self) -> int | None:
        """The longest text in tokens that this network takes, None for no limit."""
        limits = (self.architecture.get("max_position_embeddings"), self.bert.pooler.longest)
        return min((limit for limit in limits if limit is not None), default=None)


class SequenceClassifier(Network):
    """One vector a text, dropout and a linear head: texts to logits."""

    def __init__(self, bert: Backbone, num_labels: int, dropout: float, architecture: dict[str, Any]) -> None:
        super().__init__(bert, architecture)
        own, width = bert.pooler.head_dropout, bert.pooler.width
        self.dropout = Dropout(dropout if own is None else own)
        self.classifier = nn.Linear(architecture["hidden_size"] if width is None else width, num_labels)
        self.unstandardise: nn.Module = nn.Identity()  # for regression, see models/heads/target_scale.py

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
            vector = self.bert.pooler.read_out(states, attention_mask)
        out: Tensor = self.unstandardise(self.classifier(self.dropout(vector)))
        return out
