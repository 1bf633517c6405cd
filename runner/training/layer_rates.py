"""Layer-wise learning-rate decay: the lower a layer of a pretrained encoder, the smaller its rate.

Lower layers hold general features of text and need to change least (Howard & Ruder 2018, arXiv 1801.06146,
discriminative fine-tuning; Clark et al. 2020, arXiv 2003.10555, for BERT-like encoders).
"""

from __future__ import annotations

from torch import Tensor, nn

from models.backbones.base import Backbone
from models.errors import ModelError


def layer_rates(model: nn.Module, decay: float) -> dict[Tensor, float]:
    """Return factors on the learning rate: decay^(L - l) in layer l of L, from 1, and decay^L in the embeddings.

    Parameters above the layers (readout, head, a last norm) are left out: their factor is 1.
    Raises ModelError for an encoder whose layers share their weights, such as ALBERT.
    """
    if decay == 1.0:
        return {}
    found: dict[Tensor, float] = {}
    for backbone in (module for module in model.modules() if isinstance(module, Backbone)):
        layers = _layers(backbone, decay)
        for part in backbone.embedding_parts():
            found |= dict.fromkeys(part.parameters(), decay ** len(layers))
        for depth, layer in enumerate(layers, start=1):
            found |= dict.fromkeys(layer.parameters(), decay ** (len(layers) - depth))
    return found


def _layers(backbone: Backbone, decay: float) -> nn.ModuleList:
    """Return the stack of a backbone's layers."""
    count = backbone.state_shape()[1]
    for part in backbone.encoder_parts():
        for module in part.modules():
            if isinstance(module, nn.ModuleList) and len(module) == count:
                return module
    raise ModelError(
        f"optimizer.layer_decay={decay:g} needs an encoder whose layers have separate weights, but the {count} "
        "layers of this one share theirs. Leave it out"
    )
