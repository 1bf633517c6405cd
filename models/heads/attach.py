"""Attaches a head to a backbone: the only module that knows which heads exist."""

from __future__ import annotations

import torch
from torch import nn

from models.backbones.base import Backbone
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.heads.linear import LinearHead
from models.heads.span import SpanClassifier
from models.heads.text import SequenceClassifier
from models.heads.token import TokenClassifier
from models.heads.words import MaskedLM
from models.json_types import JsonObject
from models.network import Network
from models.setting_conflicts import readout_conflict
from models.settings import BI_ENCODER, COSINE, COSINE_SCALE, full_part

LINEAR: dict[str, type[LinearHead]] = {"text": SequenceClassifier, "token": TokenClassifier, "span": SpanClassifier}
HEADS: dict[str, type[Network]] = {**LINEAR, "words": MaskedLM}


def attach_head(backbone: Backbone, architecture: JsonObject, spec: HeadSpec) -> LinearHead:
    """Join a new backbone and a linear head into a network with random weights.

    architecture: the backbone's part of config.json. Raises ModelError for a readout that the head cannot read.
    """
    head, readout = LINEAR[spec.name], full_part(architecture["readout"])
    if conflict := readout_conflict(readout["name"], backbone.pooler.keeps_tokens, head.reads):
        raise ModelError(conflict)
    network = head(backbone, architecture, spec)
    backbone.draw_weights(network, architecture)
    if readout["name"] == BI_ENCODER and readout["compare"] == COSINE:
        _start_as_cosine(network.classifier, spec)
    return network


@torch.no_grad()
def _start_as_cosine(layer: nn.Linear, spec: HeadSpec) -> None:
    """Initialise a last layer over a cosine: regression predicts the cosine, a classifier a multiple of it."""
    layer.weight.fill_(1.0 if spec.has_number else COSINE_SCALE)
    layer.bias.zero_()
    if spec.outputs == 2:  # predict the second class if the cosine is above 0.5
        layer.weight.copy_(layer.weight.new_tensor([[-0.5], [0.5]]) * COSINE_SCALE)
        layer.bias.copy_(layer.bias.new_tensor([0.25, -0.25]) * COSINE_SCALE)


def head_in_config(config: JsonObject) -> HeadSpec:
    """The linear head that a config.json describes; the head for texts if its class is unknown."""
    kinds, problem_type = config.get("architectures"), config.get("problem_type")
    kind = str(kinds[0]) if isinstance(kinds, list) and kinds else ""
    endings = {name: head.auto_class.removeprefix("AutoModel") for name, head in LINEAR.items()}
    name = next((name for name, ending in endings.items() if kind.endswith(ending)), "text")
    outputs = len(config.get("id2label", ())) or 2
    return HeadSpec(name, outputs, problem_type if isinstance(problem_type, str) else None)
