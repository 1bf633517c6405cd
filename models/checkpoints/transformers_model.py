"""Our models as transformers classes, so that its Auto classes open what we save."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedModel,
)
from transformers.modeling_outputs import (
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)

from models.checkpoints.read import read_tokens
from models.checkpoints.transformers_config import BertierConfig
from models.compression.bf16 import to_own_type
from models.heads.base import HeadSpec
from models.heads.linear import LinearHead
from models.rebuild import rebuild


class Bertier(PreTrainedModel):
    """Base class: wraps a network for transformers' loaders, with our module tree and parameter names."""

    config_class = BertierConfig
    base_model_prefix = "bert"
    head: ClassVar[str]  # a key of models/heads/attach.py's HEADS

    def __init__(self, config: BertierConfig) -> None:
        super().__init__(config)
        spec = HeadSpec(self.head, config.num_labels, config.problem_type)
        network = rebuild(config.to_dict(), spec, partial(read_tokens, config.name_or_path))
        for name, child in network.named_children():
            self.add_module(name, child)
        self.__dict__["network"] = network  # not registered as a child: its modules are children already
        self._accept_other_types()
        self.post_init()

    def _accept_other_types(self) -> None:
        """Let layers take float32 inputs, such as sums over tokens, after transformers has cast the model.

        It does so for `dtype=`, and by itself for a folder that was saved in bfloat16 or float16.
        """
        for layer in self.modules():
            own = next(layer.parameters(recurse=False), None)
            if own is not None and own.is_floating_point():
                layer.register_forward_pre_hook(to_own_type)

    def _init_weights(self, module: nn.Module) -> None:
        """Do nothing: `rebuild` has set random weights, and the checkpoint replaces all of them."""

    def get_input_embeddings(self) -> nn.Module:
        """The table of word vectors."""
        return self.bert.word_vectors()


class BertierForSequenceClassification(Bertier):
    """Classification of texts, or regression."""

    head = "text"
    network: LinearHead

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        **_: object,
    ) -> SequenceClassifierOutput:
        """Logits (B, C), and the loss when labels are given."""
        logits = self.network(input_ids, attention_mask, token_type_ids)
        loss = None
        if labels is not None and self.config.problem_type == "regression":
            loss = nn.functional.mse_loss(logits.squeeze(-1), labels.to(logits.dtype))
        elif labels is not None and self.config.problem_type == "multi_label_classification":
            loss = nn.functional.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
        elif labels is not None:
            loss = nn.functional.cross_entropy(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


class BertierForTokenClassification(Bertier):
    """A classifier of tokens."""

    head = "token"
    network: LinearHead

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        **_: object,
    ) -> TokenClassifierOutput:
        """Logits (B, T, C), and the loss when labels (B, T) are given; label -100 is ignored."""
        logits = self.network(input_ids, attention_mask, token_type_ids)
        loss = None if labels is None else nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return TokenClassifierOutput(loss=loss, logits=logits)


class BertierForQuestionAnswering(Bertier):
    """Extractive question answering: where the answer to a question starts and ends."""

    head = "span"
    network: LinearHead

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        **_: object,
    ) -> QuestionAnsweringModelOutput:
        """Logits (B, T) of the answer's first and last token, and the loss when both positions (B,) are given."""
        logits = self.network(input_ids, attention_mask, token_type_ids)
        if attention_mask is not None:
            logits = logits.masked_fill(attention_mask.unsqueeze(-1) == 0, torch.finfo(logits.dtype).min)
        start, end = logits.unbind(-1)
        loss = None
        if start_positions is not None and end_positions is not None:
            losses = (nn.functional.cross_entropy(*pair) for pair in ((start, start_positions), (end, end_positions)))
            loss = sum(losses) / 2
        return QuestionAnsweringModelOutput(loss=loss, start_logits=start, end_logits=end)


AutoModelForSequenceClassification.register(BertierConfig, BertierForSequenceClassification, exist_ok=True)
AutoModelForTokenClassification.register(BertierConfig, BertierForTokenClassification, exist_ok=True)
AutoModelForQuestionAnswering.register(BertierConfig, BertierForQuestionAnswering, exist_ok=True)
