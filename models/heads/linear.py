"""Dropout and one linear layer: the shared base of the heads with a fixed number of outputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from models.backbones.base import Backbone
from models.backbones.dropout import Dropout
from models.heads.base import HeadSpec
from models.json_types import JsonObject
from models.network import Network


class LinearHead(Network):
    """Base class: maps each vector to `spec.outputs` numbers, with transformers' tensor names (`classifier.*`)."""

    def __init__(self, bert: Backbone, architecture: JsonObject, spec: HeadSpec) -> None:
        super().__init__(bert, architecture)
        self.spec = spec
        readout = bert.pooler
        dropout, width = readout.head_dropout, readout.width
        self.dropout = Dropout(architecture["hidden_dropout_prob"] if dropout is None else dropout)
        self.classifier = nn.Linear(architecture["hidden_size"] if width is None else width, spec.outputs)
        self.unstandardise: nn.Module = nn.Identity()  # for regression, see models/heads/target_scale.py
        self.added: nn.Module | None = None  # logits to add, see models/heads/added_ngrams.py
        self.exits: nn.Module | None = None  # early exits, see models/heads/exits.py

    def score(self, vectors: Tensor, added: Tensor | None = None) -> Tensor:
        """Map the output of `encode`, (..., H), to logits (..., C), in the targets' unit for regression.

        added: logits (..., C) of another part, on the scale of the head's.
        """
        scores = self.classifier(self.dropout(vectors))
        logits: Tensor = self.unstandardise(scores if added is None else scores + added)
        return logits

    @torch.no_grad()
    def start_from(self, bias: np.ndarray) -> None:
        """Initialise the bias of the last layer, (C,)."""
        layer = self.classifier
        layer.bias.copy_(torch.from_numpy(bias))

    def notes(self) -> list[str]:
        """Notes on the shape of the last layer that the user gets once."""
        width, classes = self.bert.pooler.width or self.architecture["hidden_size"], self.spec.outputs
        if width >= classes - 1:
            return []
        return [
            f"the last layer reads {width} numbers for {classes} classes: below {classes - 1} the scores of some "
            f"classes follow from the others. Try: vectors of {classes} dimensions or more (model.width, model.hidden)"
        ]

    def labels(self, label_names: Sequence[str]) -> JsonObject:
        """The names of the outputs, in both directions."""
        return {
            "id2label": {str(index): name for index, name in enumerate(label_names)},
            "label2id": {name: index for index, name in enumerate(label_names)},
        }

    def head_options(self) -> JsonObject:
        """For a stock class, no separate classifier dropout: it then uses the config's general dropout."""
        return {"classifier_dropout": None} if self.stock_name() == self.stock_class else {}
