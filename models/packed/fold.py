"""Writes a bag of words as a model.bin, folded into one number per piece and output if that is exact and smaller.

Without a layer norm, the scores of a text are a sum over its pieces, so the linear head can be applied to the table in
advance: E W^T replaces E. With a layer norm, the table stays, and the norm's scale is folded into the head.
"""

from __future__ import annotations

import numpy as np
from torch import nn

from models.backbones.bag_of_words import BagOfWords
from models.backbones.bert_embeddings import Embeddings, first_rows
from models.compression.quantization.coded import CodedTable, CodedWeight, Codes
from models.compression.quantization.packing import unpack
from models.heads.linear import LinearHead
from models.json_types import JsonObject
from models.network import Network
from models.packed.added import added_ngrams
from models.packed.errors import NotPacked
from models.packed.facts import Facts
from models.packed.format import pack
from models.packed.layers import Arrays, array_of, layer_with_dendrites, weight_of
from models.packed.vocabulary import wordpiece_vocabulary
from models.readouts.pooling import MeanPooler, SqrtPooler, SumPooler

READOUTS = (MeanPooler, SqrtPooler, SumPooler)


def pack_bag_of_words(network: Network, facts: Facts) -> bytes:
    """The model.bin of a DSN; NotPacked if the reader does not support it."""
    assert isinstance(network, LinearHead) and isinstance(network.bert, BagOfWords)
    pooler, embeddings = network.bert.pooler, network.bert.embeddings
    if not isinstance(pooler, SumPooler) or type(pooler) not in READOUTS:
        raise NotPacked(f"its readout, {type(pooler).__name__}, is not a sum over pieces")
    refuse_half_precision(network)
    vocabulary = wordpiece_vocabulary(facts.tokenizer)
    weight, bias, dendrites, activation = layer_with_dendrites(network)
    tables = tables_of_places(embeddings, facts)
    norm, shift = embeddings.LayerNorm, np.zeros_like(bias)
    fields: JsonObject = {"power": pooler.power, "max_length": facts.max_length, "pieces": vocabulary.settings}
    fields |= vocabulary.language
    coded, coding = word_rows(embeddings.word_embeddings, vocabulary.ids)
    arrays = coded | tables | {"head": weight}
    if isinstance(norm, nn.LayerNorm):  # its scale is folded into the head; its shift is the same for every piece
        shift = weight @ array_of(norm.bias)
        arrays["head"], fields["eps"] = weight * array_of(norm.weight), norm.eps
        fields["centred"] = type(embeddings.word_embeddings) is nn.Embedding  # the norm's first step, done in advance
        arrays |= {name: centred(arrays[name]) for name in (*tables, *(["words"] if fields["centred"] else []))}
    else:
        is_difference = network.spec.deciding == 1 and not facts.keeps_both and not dendrites
        weight, bias_of_fold = difference_of_two(weight, bias) if is_difference else (weight, bias)
        folded = fold({"words": decoded_rows(embeddings.word_embeddings, vocabulary.ids)} | tables, weight)
        if not coded or folded["words"].nbytes <= sum(array.nbytes for array in coded.values()):
            arrays, coding, bias, shift = folded, {}, bias_of_fold, np.zeros_like(bias_of_fold)
    if "words" not in arrays:
        raise NotPacked(f"its word table, {type(embeddings.word_embeddings).__name__}, is neither plain nor coded")
    of_ngrams, described = added_ngrams(network)
    arrays |= {"bias": bias, "shift": shift, "pieces": vocabulary.array()} | dendrites | of_ngrams
    fields |= coding | described | activation | ({"texts": 2} if facts.is_pair else {})
    return pack("dendritic" if dendrites else "dsn", facts.labels, arrays, fields | facts.entries())


def refuse_half_precision(network: Network) -> None:
    """Raise NotPacked for weights in less than 32 bits; the int8 rows of n-grams are no such weights."""
    if any(parameter.is_floating_point() and parameter.dtype.itemsize < 4 for parameter in network.parameters()):
        raise NotPacked("it computes in bfloat16")


def tables_of_places(embeddings: Embeddings, facts: Facts) -> Arrays:
    """The position and segment vectors that such texts need; zeros if the model has none."""
    segments = 2 if facts.is_pair else 1
    if not embeddings.is_positional:
        shapes = {"places": facts.max_length, "segments": segments}
        return {name: np.zeros((rows, embeddings.width), np.float32) for name, rows in shapes.items()}
    places = array_of(first_rows(embeddings.position_embeddings, facts.max_length))
    if len(places) < facts.max_length:
        raise NotPacked(f"it has {len(places)} positions for texts of {facts.max_length} tokens")
    table = embeddings.token_type_embeddings
    assert table is not None, "texts have segments"
    return {"places": places, "segments": array_of(table.weight)[:segments]}


def difference_of_two(weight: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reduce a two-class head to the difference of its outputs, (1, H) and (1,); other heads stay as they are."""
    return (weight[1:] - weight[:1], bias[1:] - bias[:1]) if len(weight) == 2 else (weight, bias)


def centred(table: np.ndarray) -> np.ndarray:
    """Subtract from each row of a table (rows, H) its mean, float32; sums of rows are then centred, too."""
    return (table - table.mean(axis=1, keepdims=True, dtype=np.float64)).astype(np.float32)


def fold(tables: Arrays, weight: np.ndarray) -> Arrays:
    """Multiply tables (rows, H) by a head (K, H), to (rows, K) float32; computed in float64."""
    columns = weight.T.astype(np.float64)
    return {name: (table.astype(np.float64) @ columns).astype(np.float32) for name, table in tables.items()}


def word_rows(table: nn.Module, ids: np.ndarray) -> tuple[Arrays, JsonObject]:
    """The rows of a word table as stored, and their header entries; both empty for unsupported codings."""
    if type(table) is nn.Embedding:
        return {"words": array_of(table.weight)[ids]}, {}
    if type(table) is not CodedTable or not isinstance(table.coded, Codes):
        return {}, {}
    found, coding = stored_codes(table.coded, ids)
    return {"words" if name == "codes" else name: array for name, array in found.items()}, coding


def stored_codes(coded: Codes, ids: np.ndarray | None = None) -> tuple[Arrays, JsonObject]:
    """The `codes`, `step` and `zero` of a matrix, and their header entries; ids: only these rows."""
    grid, ids = coded.grid, np.arange(coded.rows) if ids is None else ids
    codes = array_of(unpack(coded.codes, coded.columns, grid))[ids]
    is_affine = grid.scheme == "affine"
    kind = np.uint8 if isinstance(grid.middle, int) else np.float32
    zero = array_of(grid.per_row(coded.zero, coded.rows)) if is_affine else np.array([[grid.middle]], kind)
    step = array_of(grid.per_row(coded.step.float(), coded.rows))
    ranges = {name: found[ids] if len(found) > 1 else found for name, found in (("step", step), ("zero", zero))}
    group = {"group": grid.group} if grid.per == "group" else {}
    if grid.bits == 8:
        return {"codes": codes} | ranges, group
    return {"codes": pack_bits(codes, grid.bits)} | ranges, group | {"bits": grid.bits, "width": coded.columns}


def pack_bits(codes: np.ndarray, bits: int) -> np.ndarray:
    """Pack codes (rows, columns) uint8 below 2^bits into rows of bytes, in order, least significant bit first."""
    planes = np.unpackbits(codes[:, :, None], axis=2, bitorder="little")[:, :, :bits]
    return np.packbits(planes.reshape(len(codes), -1), axis=1, bitorder="little")


def decoded_rows(table: nn.Module, ids: np.ndarray) -> np.ndarray:
    """The rows of a word table in float32; NotPacked if they are computed or depend on neighbours."""
    if type(table) is not nn.Embedding and not isinstance(table, CodedWeight):
        raise NotPacked(f"its word vectors, {type(table).__name__}, are not a table")
    return array_of(weight_of(table))[ids]
