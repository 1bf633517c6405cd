"""The head for extractive question answering: scores each token as the first and as the last one of the answer."""

from __future__ import annotations

from models.backbones.base import Backbone
from models.backbones.dropout import Dropout
from models.heads.base import HeadSpec
from models.heads.token import TokenClassifier
from models.json_types import JsonObject

SAVED, OWN = "qa_outputs.", "classifier."  # transformers' and our name of the last layer


class SpanClassifier(TokenClassifier):
    """A linear layer from each token's vector to two numbers, without dropout before it, as in BERT's SQuAD code.

    Source: Devlin et al. 2019, section 4.2; google-research/bert, run_squad.py.
    """

    auto_class = "AutoModelForQuestionAnswering"
    stock_class = "BertForQuestionAnswering"

    def __init__(self, bert: Backbone, architecture: JsonObject, spec: HeadSpec) -> None:
        super().__init__(bert, architecture, spec)
        self.dropout = Dropout(0.0)

    def saved_name(self, name: str) -> str:
        """The name of a tensor in the saved file; BertForQuestionAnswering names the last layer differently."""
        if self.stock_name() == self.stock_class and name.startswith(OWN):
            return SAVED + name.removeprefix(OWN)
        return super().saved_name(name)

    def head_options(self) -> JsonObject:
        """Empty: the stock class has no dropout before its last layer."""
        return {}
