"""Writes a small encoder over the frames of a sound, or a mean of frames, as a model.bin of kind `sound`.

All integers are in one array, all floats in another, in the order in which runner/deploy/bundle/frame_network.py reads
them, so the header gives only the shape and the coding of each matrix:

    float    float32 weights
    codes    int8, decoded before the product: from compression=[int8]
    dynamic  int8, with inputs quantized frame by frame: from compression=[int8_dynamic]
    static   int8, with a fixed range for the input: from compression=[int8_static]

A quantized table has a step and a zero point per row.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from torch import nn

from models.backbones.attention import SelfAttention
from models.backbones.bert import Bert, Intermediate, Layer
from models.backbones.bert_embeddings import Embeddings
from models.compression.dynamic_int8 import DynamicLinear
from models.compression.quantization.coded import CodedLinear, CodedTable, Codes
from models.compression.quantization.packing import unpack
from models.compression.static_int8 import StaticLinear
from models.embeddings.band_convolution import BandConvolution
from models.embeddings.frames import Frames
from models.heads.linear import LinearHead
from models.heads.target_scale import TARGETS
from models.json_types import JsonObject
from models.network import Network
from models.packed.errors import NotPacked
from models.packed.facts import Facts
from models.packed.format import pack
from models.packed.layers import array_of
from models.readouts.mean_std import MeanStd
from models.readouts.pooling import ClsPooler, MeanPooler, SqrtPooler, SumPooler

READOUTS = {ClsPooler: "cls", MeanPooler: "mean", SumPooler: "sum", SqrtPooler: "sqrt", MeanStd: "mean_std"}
MIDDLE = 128  # of unsigned 8-bit codes


class Written:
    """Collects the numbers of a network, from its first to its last layer."""

    def __init__(self) -> None:
        self.codes, self.floats = list[np.ndarray](), list[np.ndarray]()
        self.matrices = list[tuple[int, int, str]]()

    def vector(self, values: np.ndarray) -> None:
        """Add floats."""
        self.floats.append(values.astype(np.float32).ravel())

    def matrix(self, values: np.ndarray, coding: str) -> None:
        """Add a matrix of int8 codes or floats."""
        self.matrices.append((*values.shape, coding))
        (self.floats if coding == "float" else self.codes).append(values.ravel())

    def table(self, table: nn.Module) -> None:
        """Add an embedding table; NotPacked for an unsupported coding."""
        if type(table) is nn.Embedding:
            self.matrix(array_of(table.weight), "float")
            return
        if not isinstance(table, CodedTable) or not isinstance(table.coded, Codes):
            raise NotPacked(f"its table of positions, {type(table).__name__}, is neither plain nor coded")
        codes, step, zero = eight_bits(table.coded, "its table of positions")
        self.matrix(codes, "codes")
        self.vector(step)
        self.vector(zero)

    def linear(self, layer: nn.Module, scale: float = 1.0, shift: float = 0.0) -> None:
        """Add a linear layer with outputs multiplied by `scale` and shifted by `shift`; NotPacked for other layers."""
        steps = list[np.ndarray]()
        if type(layer) is nn.Linear:
            self.matrix(scale * array_of(layer.weight), "float")
        elif isinstance(layer, CodedLinear) and isinstance(layer.coded, Codes):
            codes, step, zero = eight_bits(layer.coded, "a layer")
            if zero.any():
                raise NotPacked("a layer has codes whose zero is not in their middle (scheme=affine)")
            self.matrix(codes, "codes")
            steps.append(scale * step)
        elif isinstance(layer, DynamicLinear | StaticLinear):
            self.matrix(array_of(layer.codes), "dynamic" if isinstance(layer, DynamicLinear) else "static")
            steps.append(scale * array_of(layer.step))
        else:
            raise NotPacked(f"its layer {type(layer).__name__} is not linear in what it reads")
        for step in steps:
            self.vector(step)
        if isinstance(layer, StaticLinear):
            self.vector(np.array([layer.input_step.item(), layer.input_zero.item()]))
        self.vector(scale * array_of(layer.get_parameter("bias")) + shift)

    def norm(self, norm: nn.Module) -> None:
        """Add a layer norm."""
        self.vector(array_of(norm.get_parameter("weight")))
        self.vector(array_of(norm.get_parameter("bias")))

    def arrays(self) -> dict[str, np.ndarray]:
        """All integers and all floats, concatenated."""
        return {
            "codes": np.concatenate([np.zeros(0, np.int8), *self.codes]),
            "floats": np.concatenate([np.zeros(0, np.float32), *self.floats]).astype(np.float32),
        }


def eight_bits(coded: Codes, what: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signed int8 codes (rows, columns), with the step and zero point of each row, float32; NotPacked for others."""
    grid, rows = coded.grid, coded.rows
    if grid.bits != 8 or grid.per not in ("row", "tensor") or grid.scheme not in ("affine", "symmetric"):
        raise NotPacked(f"{what} has codes of {grid.bits} bits per {grid.per}, but a model of sounds has 8 per row")
    codes = (array_of(unpack(coded.codes, coded.columns, grid)).astype(np.int16) - MIDDLE).astype(np.int8)
    step = np.broadcast_to(array_of(grid.per_row(coded.step.float(), rows)), (rows, 1))[:, 0]
    if grid.scheme == "symmetric":
        return codes, step, np.zeros(rows, np.float32)
    zero = np.broadcast_to(array_of(grid.per_row(coded.zero, rows)), (rows, 1))[:, 0]
    return codes, step, zero.astype(np.float32) - MIDDLE


def is_of_frames(network: Network) -> bool:
    """Does a network read frames of sound with our encoder?"""
    own = network.bert.embeddings.word_embeddings if isinstance(network.bert, Bert) else None
    return isinstance(own, Frames | BandConvolution)


def pack_sound(network: Network, facts: Facts) -> bytes:
    """The model.bin of a network over frames; NotPacked if the reader does not support it."""
    assert isinstance(network, LinearHead) and isinstance(network.bert, Bert)
    bert, sound = network.bert, facts.sound
    if type(bert.pooler) not in READOUTS:
        raise NotPacked(f"its readout, {type(bert.pooler).__name__}, is not among {', '.join(READOUTS.values())}")
    if any(parameter.dtype.itemsize < 4 for parameter in network.parameters() if parameter.is_floating_point()):
        raise NotPacked("it computes in bfloat16")
    if network.exits is not None or (bert.encoder is not None and (bert.encoder.lengths or bert.encoder.skipped)):
        raise NotPacked("it has layers that not every sound passes through")
    written = Written()
    shape = write_embeddings(written, bert.embeddings)
    layers = [] if bert.encoder is None else [cast(Layer, layer) for layer in bert.encoder.layer]
    shape["heads"] = [write_layer(written, layer) for layer in layers]
    shape["readout"] = READOUTS[type(bert.pooler)]
    if isinstance(bert.pooler, ClsPooler):
        written.linear(bert.pooler.dense)
    targets = network.architecture.get(TARGETS, {"sd": 1.0, "mean": 0.0})
    written.linear(network.classifier, targets["sd"], targets["mean"])
    arrays = written.arrays() | {name: np.array(sound[name], np.float32) for name in ("mean", "sd")}
    told = ("features", "rate", "seconds", "average", "first", "stack")
    described: JsonObject = {name: sound[name] for name in told if name in sound}
    described |= {"network": shape, "matrices": written.matrices}
    fields: JsonObject = {"max_length": facts.max_length, "sound": described}
    return pack("sound", facts.labels, arrays, fields | facts.entries())


def write_embeddings(written: Written, own: Embeddings) -> JsonObject:
    """Write the layers that turn frames into the first block's input; return their description."""
    frames = cast(Frames | BandConvolution, own.word_embeddings)
    shape: JsonObject = {"width": own.width, "project": not isinstance(frames.projection, nn.Identity)}
    if isinstance(frames, BandConvolution):
        shape["convolution"] = write_convolution(written, frames)
    if shape["project"]:
        written.linear(frames.projection)
    if frames.first is not None:
        written.vector(array_of(frames.first))
    segments = own.token_type_embeddings if own.is_positional else None
    if own.is_positional:
        written.table(own.position_embeddings)
    if segments is not None:
        written.vector(array_of(segments.weight)[0])
    has_norm = isinstance(own.LayerNorm, nn.LayerNorm)
    if has_norm:
        written.norm(own.LayerNorm)
    epsilon = own.LayerNorm.eps if isinstance(own.LayerNorm, nn.LayerNorm) else 1e-12
    return shape | {
        "first": frames.first is not None, "positions": own.is_positional, "segments": segments is not None,
        "norm": has_norm, "eps": epsilon,
    }  # fmt: skip


def write_convolution(written: Written, own: BandConvolution) -> JsonObject:
    """Write the convolution over the bands of a frame, (maps, stacked frames x kernel); return its description."""
    convolution = own.convolution
    written.matrix(array_of(convolution.weight).reshape(convolution.out_channels, -1), "float")
    written.vector(array_of(convolution.get_parameter("bias")))
    (kernel,), (stride,) = convolution.kernel_size, convolution.stride
    found = {"bands": own.bands, "stacked": own.stacked, "places": own.places}
    return found | {"kernel": kernel, "stride": stride, "pool": own.pool}


def write_layer(written: Written, layer: Layer) -> int:
    """Write one layer; return its number of attention heads. NotPacked if all of its heads or neurons are removed."""
    attention = layer.attention
    own = attention.self
    if not isinstance(own, SelfAttention) or not isinstance(layer.intermediate, Intermediate):
        raise NotPacked("it has a layer without heads or without neurons")
    for linear in (own.query, own.key, own.value, attention.output.dense):
        written.linear(linear)
    written.norm(attention.output.LayerNorm)
    written.linear(layer.intermediate.dense)
    written.linear(layer.output.dense)
    written.norm(layer.output.LayerNorm)
    return own.query.out_features // own.head_size
