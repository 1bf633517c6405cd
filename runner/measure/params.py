"""Parameter counts of a model. A parameter shared by two modules counts once.

A quantized weight is a buffer of codes, not a parameter; it counts as the weights that its codes represent.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from models.compression.quantization.coded import coded_weights


@dataclass(frozen=True)
class ParamCounts:
    """Numbers of parameters."""

    total: int
    trained: int  # with gradients
    deployed: int  # all parameters, plus the statistics of batch norms
    nonzero: int
    embeddings: int  # in look-up tables


def count_params(model: nn.Module) -> ParamCounts:
    """Return the parameter counts of a model; only `deployed` includes buffers: saved ones in floating point.

    Steps and centres of quantized weights count nowhere: their codes count as the weights that they represent.
    `embeddings` are the rows of look-up tables (word, position, segment), without the layer norm after them.
    """
    parameters = list(model.parameters())  # torch yields a shared parameter once
    rounded = [(module, module.decoded_weight()) for module in coded_weights(model)]
    known = {id(p) for p in parameters} | {
        id(t) for module, _ in rounded for t in module.state_dict(keep_vars=True).values()
    }
    state = model.state_dict(keep_vars=True).values()
    saved = [t for t in state if t.is_floating_point() and id(t) not in known]
    total = sum(p.numel() for p in parameters) + sum(weight.numel() for _, weight in rounded)
    return ParamCounts(
        total=total,
        trained=sum(p.numel() for p in parameters if p.requires_grad)
        + sum(weight.numel() for module, weight in rounded if module.is_trained),
        deployed=total + sum(t.numel() for t in saved),
        nonzero=sum(int(torch.count_nonzero(p)) for p in [*parameters, *(weight for _, weight in rounded)]),
        embeddings=sum(p.numel() for p in _table_parameters(model))
        + sum(weight.numel() for module, weight in rounded if module.is_table),
    )


def _table_parameters(model: nn.Module) -> list[nn.Parameter]:
    tables = (module for module in model.modules() if isinstance(module, nn.Embedding | nn.EmbeddingBag))
    return list({id(p): p for table in tables for p in table.parameters()}.values())
