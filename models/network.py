"""A network: a backbone, a head, and the shape that config.json describes.

A head is a subclass of Network, so that its tensors are siblings of the backbone's, as in transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from models.backbones.base import Backbone
from models.backbones.hooks import LayerHook, Wanted
from models.backbones.stock_head import StockReadout
from models.compression.lengths.choice import entry_of
from models.half import is_half, stored_in_half
from models.heads.base import Reads
from models.json_types import JsonObject
from models.readouts.bi_encoder import in_batches, take_apart


class Network(nn.Module):
    """Base class of all our networks; models/heads/ has one subclass for each head.

    `bert` is the backbone, under the name that BERT checkpoints use; `architecture` is the network's description in
    config.json, under the keys of transformers' BertConfig, from which it can be rebuilt.
    """

    bert: Backbone
    reads: ClassVar[Reads]  # what the head reads: one vector per text (from the readout), or one per token
    auto_class: ClassVar[str]  # the transformers Auto class that opens the saved folder
    stock_class: ClassVar[str]  # the transformers class of a plain BERT with this head
    stock_readout: ClassVar[str]  # the readout of the stock class
    reads_table: ClassVar[bool] = False  # does the head read the whole table of word vectors?

    def __init__(self, bert: Backbone, architecture: JsonObject) -> None:
        super().__init__()
        self.bert = bert
        self.architecture = architecture
        self.frozen: list[nn.Module] = []  # kept in evaluation mode, see models/backbones/freeze.py

    def train(self, mode: bool = True) -> Self:
        """Switch to training mode, except for frozen parts, which stay in evaluation mode, without dropout."""
        super().train(mode)
        for part in self.frozen:
            part.eval()
        return self

    def longest_input(self) -> int | None:
        """The maximum length of a text, in tokens; None for no limit."""
        limits = (self.architecture.get("max_position_embeddings"), self.bert.pooler.longest)
        return min((limit for limit in limits if limit is not None), default=None)

    def encode(
        self,
        input_ids: Tensor | None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        places: Tensor | None = None,
        hooks: Sequence[LayerHook] = (),
    ) -> Tensor:
        """Encode texts, inputs (B, T), as vectors: (B, H), or (B, T, H) for a head that reads tokens.

        places: (N,) positions in the flattened (B, T), to return only those tokens' vectors, (N, H).
        hooks: see models/backbones/hooks.py.
        """
        if self.bert.pooler.reads_apart and input_ids is not None:
            may_look = self._may_look(input_ids)
            apart = take_apart(input_ids, attention_mask, token_type_ids, may_look=may_look)
            is_whole = bool(hooks) or not may_look or torch.compiler.is_exporting()  # hooks expect one call per batch
            batches = [apart] if is_whole else in_batches(*apart)
            return self.bert.pooler.compare(torch.cat([self.bert(*batch, None, hooks) for batch in batches]))
        only = None if places is None else Wanted(places=places)
        vectors: Tensor = self.bert(input_ids, attention_mask, token_type_ids, hooks, only)
        return vectors

    def _may_look(self, input_ids: Tensor) -> bool:
        """May a forward pass check how long the texts of its batch are?

        Not on CUDA, where that waits for the device, nor in an exported graph whose layers count tokens themselves.
        """
        is_counted = torch.compiler.is_exporting() and entry_of(self.architecture) is not None
        return not (input_ids.is_cuda or is_counted)

    def stock_name(self) -> str | None:
        """The stock transformers class that computes this network, so any tool can open it; None if there is none."""
        shape, readout = self.architecture, self.bert.pooler
        if {"embedding", "compressed"} & shape.keys():
            return None
        if isinstance(readout, StockReadout):
            return readout.class_name
        is_plain = shape["readout"] == self.stock_readout and shape.get("num_hidden_layers", 0) > 0
        return self.stock_class if is_plain and "backbone" not in shape else None

    def is_stock(self) -> bool:
        """Does a stock class of transformers compute this network?"""
        return self.stock_name() is not None

    def saved_name(self, name: str) -> str:
        """The name of a tensor of this network in its saved file."""
        return self.bert.saved_name(name) if self.is_stock() else name

    def labels(self, label_names: Sequence[str]) -> JsonObject:
        """The entries of config.json about the outputs, given their names in order."""
        return {}

    def head_options(self) -> JsonObject:
        """The entries of config.json about the head itself, besides its class."""
        return {}

    def saved_tensors(self) -> dict[str, Tensor]:
        """The tensors of the saved file by name, on the CPU."""
        found = {name: tensor.detach().cpu().contiguous() for name, tensor in self.state_dict().items()}
        return {name: stored_in_half(tensor) for name, tensor in found.items()} if is_half(self.architecture) else found


def reads_apart(model: nn.Module) -> bool:
    """Is a model a bi-encoder, whose layers see a row for each text of a pair, to which the mask does not apply?"""
    return isinstance(model, Network) and model.bert.pooler.reads_apart
