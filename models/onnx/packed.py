"""Keeps quantized weights packed in an ONNX file, so that the file takes about the size of their codes.

    pack_file(Path("model.onnx"), model)     # a graph of `model`, in float32 or int8

A weight becomes packed codes that ONNX Runtime unpacks once, when it opens the file; inference is then as fast as with
the plain graph. A large table stays packed in memory, too: its rows are unpacked when they are looked up. In an int8
graph, codes with one step per row become the int8 weights themselves; codes with a step per group are rounded to their
row's scale. Weights that are not quantized on a grid stay as they are. Products with packed weights (`MatMulNBits`)
would keep all of them packed in memory, but take up to three times as long as int8 products (384 x 1536, 128 tokens, 4
bits: 990 us, int8 395 us, float32 1,439 us; one thread, AVX-512 VNNI).
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from models.onnx.places import Matrix, Place, matrices_of, places
from models.onnx.unpacking import Array, Operators, PackedMatrix, halved

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, TensorProto

UNPACKED = "unpack/"  # name prefix of the nodes that unpack looked-up rows in every run
SMALL = 2**16  # a table of at most this many numbers is unpacked as a whole
SHORT = 16  # a tensor of at most this many numbers is not stored in float16: that saves nothing
TYPES = (1, 3)  # TensorProto.FLOAT, TensorProto.INT8


def pack_file(path: Path, model: nn.Module) -> None:
    """Keep a model's codes in the ONNX file written from it; the file does not change if the model has no codes."""
    import onnx

    if matrices := matrices_of(model):
        content = onnx.load(path)
        keep_codes(content.graph, matrices)
        onnx.save(content, path)


def keep_codes(graph: GraphProto, matrices: list[Matrix]) -> None:
    """Replace each tensor that holds one of the matrices with packed codes and the operators that unpack them."""
    users: dict[str, list[NodeProto]] = defaultdict(list)
    for node in graph.node:
        node.ClearField("metadata_props")  # the exporter's debugging information
        for name in node.input:
            users[name].append(node)
    packed = PackedGraph({tensor.name: tensor for tensor in graph.initializer})
    for name in list(packed.tensors):
        if place := packed.find(name, matrices):
            is_large = place == Place(place.matrix) and place.matrix.weight.size > SMALL
            if is_large and all(is_look_up(node, name) for node in users[name]):
                packed.unpack_rows(name, place.matrix, users[name])
            else:
                packed.unpack(name, place)
    for name in list(packed.tensors):
        packed.halve(name)
    nodes = [*packed.first, *(one for node in graph.node for one in packed.in_place_of.get(node.output[0], [node]))]
    for field in ("node", "initializer", "value_info"):
        graph.ClearField(field)
    graph.node.extend(nodes)
    graph.initializer.extend(packed.tensors.values())


def is_look_up(node: NodeProto, table: str) -> bool:
    """Does a node look up rows of a table?"""
    return node.op_type == "Gather" and node.input[0] == table and all(option.i == 0 for option in node.attribute)


class PackedGraph:
    """The tensors of a graph, and the nodes to add to it."""

    def __init__(self, tensors: dict[str, TensorProto]) -> None:
        self.tensors = tensors
        self.first: list[NodeProto] = []  # nodes over constants, placed first
        self.in_place_of: dict[str, list[NodeProto]] = {}  # nodes that replace another, by the output of that node

    def values(self, name: str) -> Array:
        """The values of a tensor."""
        from onnx import numpy_helper

        return numpy_helper.to_array(self.tensors[name])

    def scale_of(self, name: str) -> str:
        """The name of an int8 weight's scale; "" for any other tensor."""
        scale = name.removesuffix("_quantized") + "_scale"
        return scale if name.endswith("_quantized") and scale in self.tensors else ""

    def find(self, name: str, matrices: list[Matrix]) -> Place | None:
        """The matrix that a tensor holds, and in which form; None if it holds none of these."""
        tensor, scale = self.tensors[name], self.scale_of(name)
        ways = [way for matrix in matrices for way in places(matrix, tuple(tensor.dims))]
        if not ways or tensor.data_type != TYPES[bool(scale)]:
            return None
        found, scales = self.values(name), self.values(scale) if scale else None
        return next((way for way in ways if way.holds(found, scales)), None)

    def unpack(self, name: str, place: Place) -> None:
        """Replace a weight with operators that make it from its codes when the file is opened."""
        matrix, scale = PackedMatrix(place.matrix.coded, is_transposed=place.is_transposed), self.scale_of(name)
        add = Operators(name)
        made = matrix.signed(add)
        if not scale:
            made = add("Mul", add.to(made, np.float32), matrix.steps(add))
        elif self.values(scale).ndim and matrix.has_row_steps and matrix.kind is np.int8:
            self.set(scale, matrix.row_steps())
        else:
            made = add("Mul", add.to(made, np.float32), matrix.steps(add, scale=self.values(scale)))
            made = add("QuantizeLinear", made, add.constant(1, np.float32), add.constant(0, np.int8))
        if place.blocks:
            made = add("Reshape", made, add.constant(list(place.blocks), np.int64))
        if place.are_turned:
            add("Transpose", made, perm=[0, 2, 1])
        self.replace(name, add)

    def unpack_rows(self, name: str, matrix: Matrix, users: list[NodeProto]) -> None:
        """Replace a table with operators that unpack its rows when they are looked up."""
        packed = PackedMatrix(matrix.coded)
        del self.tensors[name]
        for number, node in enumerate(users):
            add, ids = Operators(name, f"{UNPACKED}{number}/"), node.input[1]
            add("Mul", add.to(packed.signed(add, ids), np.float32), packed.steps(add, ids))
            add.finish(node.output[0])
            self.tensors |= {tensor.name: tensor for tensor in add.initializers}
            self.in_place_of[node.output[0]] = add.nodes

    def halve(self, name: str) -> None:
        """Store a float32 tensor in float16 if that loses nothing."""
        tensor = self.tensors[name]
        if tensor.data_type == TYPES[0] and np.prod(tensor.dims) > SHORT:
            values = self.values(name)
            if (halves := halved(values)) is not values:
                add = Operators(name)
                add.to(add.constant(halves), np.float32)
                self.replace(name, add)

    def replace(self, name: str, add: Operators) -> None:
        """Replace a tensor with operators that compute it."""
        del self.tensors[name]
        add.finish(name)
        self.tensors |= {tensor.name: tensor for tensor in add.initializers}
        self.first += add.nodes

    def set(self, name: str, values: Array) -> None:
        """Set the values of a tensor."""
        from onnx import numpy_helper

        self.tensors[name] = numpy_helper.from_array(values, name)
