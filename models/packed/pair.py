"""Writes a bag of words that compares the two texts of a pair as a model.bin of kind `pair`.

Nothing can be folded here, because |u - v| and u * v are not linear in the rows of the table. If there is a linear
model over the n-grams of both texts, whose logits are added, it is stored in the same file.
"""

from __future__ import annotations

import numpy as np
from torch import nn

from models.backbones.bag_of_words import BagOfWords
from models.compression.quantization.coded import CodedLinear, CodedWeight, Codes
from models.heads.linear import LinearHead
from models.json_types import JsonObject
from models.network import Network
from models.packed.added import added_ngrams
from models.packed.errors import NotPacked
from models.packed.facts import Facts
from models.packed.fold import refuse_half_precision, stored_codes, tables_of_places, word_rows
from models.packed.format import pack
from models.packed.layers import Arrays, array_of, linear_layer, weight_of
from models.packed.vocabulary import wordpiece_vocabulary
from models.readouts.pair import Pair


def pack_pair(network: Network, facts: Facts) -> bytes:
    """The model.bin of a model with the readout `pair`; NotPacked if the reader does not support it."""
    assert isinstance(network, LinearHead) and isinstance(network.bert, BagOfWords)
    pooler, embeddings = network.bert.pooler, network.bert.embeddings
    assert isinstance(pooler, Pair)
    refuse_half_precision(network)
    vocabulary = wordpiece_vocabulary(facts.tokenizer)
    words, coding = word_rows(embeddings.word_embeddings, vocabulary.ids)
    if not words:
        raise NotPacked(f"its word table, {type(embeddings.word_embeddings).__name__}, is neither plain nor coded")
    weight, bias = linear_layer(network)
    arrays = words | tables_of_places(embeddings, facts) | {"head": weight, "bias": bias, "shift": np.zeros_like(bias)}
    fields: JsonObject = {"power": 1.0, "max_length": facts.max_length, "pieces": vocabulary.settings, "texts": 2}
    fields |= vocabulary.language
    for name, norm, key in (("piece", embeddings.LayerNorm, "eps"), ("text", pooler.norm, "text_eps")):
        if isinstance(norm, nn.LayerNorm):
            arrays |= {f"{name}_scale": array_of(norm.weight), f"{name}_shift": array_of(norm.bias)}
            fields[key] = norm.eps
    for found, described in (_hidden_layer(pooler.narrow), added_ngrams(network)):
        arrays, fields = arrays | found, fields | described
    return pack("pair", facts.labels, arrays | {"pieces": vocabulary.array()}, fields | coding | facts.entries())


def _hidden_layer(layer: nn.Module) -> tuple[Arrays, JsonObject]:
    """The arrays and header entries of the hidden layer, empty if there is none; NotPacked if it is not linear."""
    if isinstance(layer, nn.Identity):
        return {}, {}
    is_coded = isinstance(layer, CodedWeight) and not layer.multiplies_integers
    if type(layer) is not nn.Linear and not is_coded:
        raise NotPacked(f"its hidden layer, {type(layer).__name__}, is not linear in what it reads")
    bias = {"hidden_bias": array_of(layer.get_parameter("bias"))}
    if isinstance(layer, CodedLinear) and isinstance(layer.coded, Codes):
        codes, coding = stored_codes(layer.coded)
        return {f"hidden_{name}": found for name, found in codes.items()} | bias, {"hidden": coding}
    return {"hidden": array_of(weight_of(layer))} | bias, {}
