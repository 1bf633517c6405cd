"""Our models as a transformers class, so that AutoModelForSequenceClassification opens what we save."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from models.checkpoints.read import read_tokens
from models.checkpoints.transformers_config import BertierConfig
from models.network import SequenceClassifier
from models.rebuild import rebuild


class BertierForSequenceClassification(PreTrainedModel):
    """A classifier for transformers' loaders, with our module tree and parameter names."""

    config_class = BertierConfig
    base_model_prefix = "bert"

    def __init__(self, config: BertierConfig) -> None:
        super().__init__(config)
        network = rebuild(config.to_dict(), config.num_labels, partial(read_tokens, config.name_or_path))
        for name, child in network.named_children():
            self.add_module(name, child)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Do nothing: `rebuild` has set random weights, and a checkpoint replaces all of them."""

    def get_input_embeddings(self) -> nn.Module:
        """The table of word vectors."""
        return self.bert.word_vectors()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        labels: Tensor | None = None,
        **_: Any,
    ) -> SequenceClassifierOutput:
        """Logits (B, C), and the loss when labels are given."""
        logits = SequenceClassifier.forward(self, input_ids, attention_mask, token_type_ids)
        loss = None
        if labels is not None and self.config.problem_type == "regression":
            loss = nn.functional.mse_loss(logits.squeeze(-1), labels.to(logits.dtype))
        elif labels is not None:
            loss = nn.functional.cross_entropy(logits, labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)


AutoModelForSequenceClassification.register(BertierConfig, BertierForSequenceClassification, exist_ok=True)
