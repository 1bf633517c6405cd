"""Layers as arrays for a model.bin: one that is linear, and a last layer with dendrites.

What its dendrites read is linear in the input of the layer, as its own outputs are. So all of them are stored as the
rows of one linear layer, and can be folded into a table of words; runner/deploy/bundle/dendritic.py combines them.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from torch import Tensor, nn

from models.compression.dendrite.module import Dendrite, Dendritic
from models.compression.quantization.coded import CodedWeight
from models.heads.linear import LinearHead
from models.heads.target_scale import TARGETS, fold_target_scale, unit_of
from models.json_types import JsonObject
from models.packed.errors import NotPacked

Arrays = dict[str, np.ndarray]


def linear_layer(network: LinearHead) -> tuple[np.ndarray, np.ndarray]:
    """The last layer's weight (C, H) and bias (C,), in the targets' unit; NotPacked if it is not linear."""
    return _linear(network.classifier, network.architecture.get(TARGETS))


def layer_with_dendrites(network: LinearHead) -> tuple[np.ndarray, np.ndarray, Arrays, JsonObject]:
    """The last layer and its K dendrites as weight ((K + 1) C, H), bias ((K + 1) C,), other arrays and header entries.

    The arrays are `to_soma` (K, C), in the targets' unit, and `lateral` (K, K, C), zero from the diagonal on; the
    entry `dendrites` has their activation. There are none for a plain layer. NotPacked if a part is not linear.
    """
    layer = network.classifier
    if not isinstance(layer, Dendritic):
        return *linear_layer(network), {}, {}
    dendrites = [cast(Dendrite, dendrite) for dendrite in layer.dendrites]
    targets = network.architecture.get(TARGETS)
    parts = [_linear(layer.soma, targets), *(_linear(dendrite.linear) for dendrite in dendrites)]
    weight, bias = (np.concatenate(arrays) for arrays in zip(*parts))
    to_soma = np.stack([array_of(dendrite.to_soma) for dendrite in dendrites]) * np.float32(unit_of(network))
    lateral = np.zeros((len(dendrites), *to_soma.shape), np.float32)
    for place, dendrite in enumerate(dendrites):
        if dendrite.lateral is not None:
            lateral[place, :place] = array_of(dendrite.lateral)
    return weight, bias, {"to_soma": to_soma, "lateral": lateral}, {"dendrites": {"act": dendrites[0].act}}


def weight_of(layer: nn.Module) -> Tensor:
    """The weight of a layer or a table, decoded to float32 if it is quantized."""
    weight: Tensor = layer.decoded_weight() if isinstance(layer, CodedWeight) else layer.weight  # type: ignore[assignment]
    return weight


def array_of(tensor: Tensor) -> np.ndarray:
    """The values of a tensor as a NumPy array."""
    found: np.ndarray = tensor.detach().cpu().numpy()
    return found


def _linear(layer: nn.Module, targets: JsonObject | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The weight and bias of a layer, in the unit of the targets if they are given; NotPacked if it is not linear."""
    is_coded = isinstance(layer, CodedWeight) and not layer.multiplies_integers
    if type(layer) is not nn.Linear and not is_coded:
        raise NotPacked(f"its last layer, {type(layer).__name__}, is not linear in what it reads")
    weight, bias = weight_of(layer), layer.get_parameter("bias").detach()
    if targets:
        weight, bias = fold_target_scale(weight, bias, targets)
    return array_of(weight), array_of(bias)
