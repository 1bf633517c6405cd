"""The heads of transformers' classes: the layers of RoBERTa, ModernBERT and others between states and logits.

A head is the class itself without its encoder and its last linear layer, so nothing is reimplemented here. A network
with such a head is saved as that class, which can be opened without our code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from models.errors import ModelError
from models.json_types import JsonObject
from models.readouts.base import Readout
from models.settings import STOCK_HEAD as STOCK
from models.settings import Part

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel
    from transformers.modeling_outputs import BaseModelOutputWithPooling as Output

LAST = ("classifier.out_proj", "classifier", "qa_outputs")  # names of the last linear layer in these classes
# Families whose classes are tested: tests/models/backbones/test_stock_head.py.
FAMILIES = (
    "albert", "camembert", "deberta", "deberta-v2", "distilbert", "electra", "mobilebert", "modernbert", "mpnet",
    "nomic_bert", "roberta", "xlm-roberta",
)  # fmt: skip


class GivenStates(nn.Module):
    """Replaces a class's encoder: it is called with states instead of ids, and returns them."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.pooler = dict(encoder.named_children()).get("pooler")  # for classes that read a pooled vector
        self.is_layer = isinstance(self.pooler, nn.Linear)  # as in ALBERT; a quantized layer may replace it

    def forward(self, input_ids: Tensor, *_: object, **__: object) -> Output:
        """input_ids: states (B, T, H). Returns them in transformers' output class."""
        from transformers.modeling_outputs import BaseModelOutputWithPooling as Output

        if self.pooler is None:
            return Output(input_ids)
        return Output(input_ids, torch.tanh(self.pooler(input_ids[:, 0])) if self.is_layer else self.pooler(input_ids))


class StockReadout(Readout):
    """The layers of a transformers class between its encoder and its last linear layer."""

    head_dropout = 0.0  # the class has its own dropout

    def __init__(self, stock: PreTrainedModel, head: str) -> None:
        """stock: the model, whose encoder and last layer are removed; head: text | token | span."""
        super().__init__()
        self.keeps_tokens = head != "text"
        self.prefix, self.class_name = stock.base_model_prefix, type(stock).__name__
        layers = dict(stock.named_modules())
        self.last = next(name for name in LAST if isinstance(layers.get(name), nn.Linear))
        stock.set_submodule(self.prefix, GivenStates(stock.base_model))
        stock.set_submodule(self.last, nn.Identity())
        self.stock = stock

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """(B, T, H) to (B, H); for token and span heads, (..., H) to the same."""
        if not self.keeps_tokens:
            vectors: Tensor = self.stock(hidden, attention_mask=mask).logits
            return vectors
        for part in self.stock.children():  # such as ModernBERT's dense layer and norm
            hidden = hidden if isinstance(part, GivenStates) else part(hidden)
        return hidden

    def saved_name(self, name: str) -> str:
        """The class's name for a tensor of a network with this readout."""
        ours = {"bert.backbone.": f"{self.prefix}.", "bert.pooler.stock.": "", "classifier.": f"{self.last}."}
        start = next((start for start in ours if name.startswith(start)), "")
        return ours.get(start, "") + name.removeprefix(start)


def stock_part(head: str) -> Part:
    """The readout of the stock class with that head (text | token | span), as stored in config.json."""
    return {"name": STOCK, "head": head}


def take_apart(config: PreTrainedConfig, head: str) -> tuple[PreTrainedModel, StockReadout]:
    """A new encoder for a transformers config, and the head of its family's class for text, token or span.

    Raises ModelError for a family without such a class.
    """
    import transformers

    name = stock_classes(config.model_type).get(head)
    if name is None:
        raise ModelError(
            f"model.head={STOCK}: transformers has no class of {config.model_type} for this task. "
            "Try: model.head=trained"
        )
    config.num_labels = 2  # for a layer that is removed below
    stock = getattr(transformers, name)(config)
    encoder = stock.base_model
    return encoder, StockReadout(stock, head)


def stock_classes(model_type: str) -> dict[str, str]:
    """The names of a family's classes for text, token and span; {} for unknown families."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES as SPAN,
    )
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as TEXT,
    )
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES as TOKEN,
    )

    found = {"text": TEXT.get(model_type), "token": TOKEN.get(model_type), "span": SPAN.get(model_type)}
    return {head: name for head, name in found.items() if name} if model_type in FAMILIES else {}


def is_stock_class(config: JsonObject) -> bool:
    """Is this the config.json of a class that `take_apart` can build?"""
    kinds = config.get("architectures")
    return isinstance(kinds, list) and bool({*map(str, kinds)} & {*stock_classes(config["model_type"]).values()})


# Keys of an architecture that a stock class's config does not have, or has under another name.
OF_OURS = ("backbone", "hidden_size", "max_position_embeddings", "hidden_dropout_prob", "readout", "targets")


def stock_config(architecture: JsonObject) -> JsonObject:
    """The config.json of a stock class: the encoder's config, and what later runs need, such as what was pruned."""
    found: JsonObject = architecture["backbone"]
    return found | {key: value for key, value in architecture.items() if key not in OF_OURS}


def stock_architecture(config: JsonObject, head: str) -> JsonObject:
    """The architecture of a network with a stock head, from the class's config.json."""
    return config | {"backbone": config, "hidden_dropout_prob": 0.0, "readout": stock_part(head)}


def check_stock(config: JsonObject, source: str) -> None:
    """Raise ModelError unless this family's classes are supported."""
    if config["model_type"] in ("bert", "bertier"):
        raise ModelError(
            f"model.head={STOCK}: {source} is a BERT, which our own code computes; with the plain head it is saved as "
            "transformers' class anyway. Try: model.head=trained"
        )
    if config["model_type"] not in FAMILIES:
        raise ModelError(
            f"model.head={STOCK} knows the classes of {', '.join(FAMILIES)}, but {source} is a "
            f"{config['model_type']}. Try: model.head=trained"
        )
