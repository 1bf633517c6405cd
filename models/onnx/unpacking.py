"""Packed codes in an ONNX graph, and the operators that turn them into weights.

Bytes are unpacked by halving: the low and the high bits become two bytes, concatenated along the last axis, until each
byte holds one code. This takes only a few operators over whole tensors, so unpacking the rows that a run looks up takes
microseconds. ONNX Runtime runs operators over constants once, when it opens the file, and replaces them by their
results, up to 1 GiB each.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from models.compression.quantization.bits import PARTS
from models.compression.quantization.coded import Codes
from models.compression.quantization.packing import TRITS, unpack

if TYPE_CHECKING:
    from numpy.typing import DTypeLike
    from onnx import NodeProto, TensorProto

Array = np.ndarray[Any, Any]


class Operators:
    """Collects the nodes and initialisers that compute one value of a graph, with names derived from its name."""

    def __init__(self, name: str, first: str = "") -> None:
        """name: of the value; first: a prefix of it in node names."""
        self.name, self.first = name, first
        self.nodes: list[NodeProto] = []
        self.initializers: list[TensorProto] = []

    def __call__(self, operator: str, *inputs: str, **options: int | str | list[int]) -> str:
        """Add a node; return the name of its result."""
        from onnx import helper

        name = f"{self.first}{self.name}:{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name, **options))
        return name

    def constant(self, values: Array | int | list[int], kind: DTypeLike | None = None) -> str:
        """Add an initialiser of a NumPy type; return its name.

        Nodes never share one: ONNX Runtime warns of shared initialisers that are unused after constant folding.
        """
        from onnx import numpy_helper

        name = f"{self.name}/{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values, kind, order="C"), name))
        return name

    def to(self, value: str, kind: DTypeLike) -> str:
        """Add a cast to a NumPy type; return the name of its result."""
        from onnx import helper

        return self("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(kind)))

    def count(self, size: int, each: int) -> str:
        """Add the numbers 0 to size - 1, int64, each divided by `each` and rounded down; return the result's name."""
        numbers = self("Range", *(self.constant(n, np.int64) for n in (0, size, 1)))
        return self("Div", numbers, self.constant(each, np.int64)) if each > 1 else numbers

    def first_columns(self, value: str, columns: int) -> str:
        """Add a slice of a value's first columns; return the name of its result."""
        return self("Slice", value, *(self.constant([n], np.int64) for n in (0, columns, -1)))

    def finish(self, name: str) -> None:
        """Rename the last result, or the only initialiser, to `name`, which the graph uses."""
        if self.nodes:
            self.nodes[-1].output[0] = name
        else:
            self.initializers[-1].name = name


def halved(values: Array) -> Array:
    """The values in float16 if that is lossless, else unchanged."""
    with np.errstate(over="ignore"):
        halves = values.astype(np.float16)
    return halves if np.array_equal(halves.astype(values.dtype), values) else values


def pack_halves(codes: Array, bits: int) -> Array:
    """Pack codes (rows, columns) of 1, 2, 4 or 8 bits into bytes (rows, columns x bits / 8 rounded up)."""
    packed = np.pad(codes, ((0, 0), (0, -codes.shape[1] % (8 // bits))))
    while bits < 8:
        low, high = np.split(packed, 2, axis=1)
        packed, bits = low | high << bits, bits * 2
    return packed


def pack_trits(codes: Array) -> Array:
    """Pack codes (rows, columns) of 0, 1 or 2 into bytes (rows, columns / 5 rounded up)."""
    packed = np.pad(codes, ((0, 0), (0, -codes.shape[1] % TRITS)))
    return reduce(lambda high, low: high * 3 + low, reversed(np.split(packed, TRITS, axis=1)))


class PackedMatrix:
    """A quantized matrix, or its transpose, as operators: `signed` times `steps` is exactly the matrix in float32.

    Signed codes are integers: the codes minus their zero points, or, if zero points are not integers, twice that with
    half the steps. ids: the name of an int64 value in the graph, to make only those rows of the matrix.
    """

    def __init__(self, coded: Codes, *, is_transposed: bool = False) -> None:
        self.grid, self.rows, self.columns = coded.grid, coded.rows, coded.columns
        self.row_axis, self.group_axis = (1, 0) if is_transposed else (0, 1)
        codes: Array = unpack(coded.codes.cpu(), coded.columns, coded.grid).numpy()
        is_affine = coded.grid.scheme == "affine"
        zero: Array = coded.zero.cpu().numpy() if is_affine else np.array([[coded.grid.middle]])
        self.is_doubled = bool((zero % 1).any())
        step: Array = coded.step.cpu().float().numpy() / np.float32(1 + self.is_doubled)
        whole: Array = np.ceil(zero).astype(np.int16)
        self.codes, self.step, self.zero = (one.T if is_transposed else one for one in (codes, step, whole))
        is_wide = coded.grid.bits == 8 and (is_affine or self.is_doubled)
        self.kind: Any = np.int16 if is_wide else np.int8  # of signed codes

    @property
    def has_row_steps(self) -> bool:
        """Do all weights of a row have the same step?"""
        return self.step.shape[self.group_axis] == 1

    def row_steps(self) -> Array:
        """The step of each row's signed codes, (rows,) float32."""
        steps = self.step.reshape(-1)
        return np.repeat(steps, self.grid.block if len(steps) > 1 else self.rows)[: self.rows]

    def signed(self, add: Operators, ids: str = "") -> str:
        """Add the signed codes, of type `kind`; return their name."""
        if self.grid.scheme == "ternary":
            return add("Sub", add.to(self._trits(add, ids), np.int8), add.constant(1, np.int8))
        if self.grid.bits == 8 and self.kind is np.int8:
            return self._chosen(add, (self.codes.astype(np.int16) - self.zero).astype(np.int8), ids)
        found, done = "", 0
        for part in PARTS:
            if self.grid.bits & part:
                piece = self._halves(add, (self.codes >> done) & (2**part - 1), part, ids)
                piece = add("BitShift", piece, add.constant(done, np.uint8), direction="LEFT") if done else piece
                found, done = add("BitwiseOr", found, piece) if found else piece, done + part
        found = add("Sub", add.to(found, self.kind), self._spread(add, self.zero.astype(self.kind), ids))
        return add("Add", add("Add", found, found), add.constant(1, self.kind)) if self.is_doubled else found

    def steps(self, add: Operators, ids: str = "", scale: Array | None = None) -> str:
        """Add the steps, float32, in a shape that broadcasts over the codes; return their name.

        scale: of an int8 weight, to divide the steps by: one number, or one per row of the matrix, along its row axis.
        """
        values = self.step
        if scale is not None:
            # Neighbouring rows share a step, but have separate scales.
            is_shared = 1 < values.shape[self.row_axis] < self.rows
            values = np.repeat(values, self.grid.block, self.row_axis) if is_shared else values
            values = (values.take(range(self.rows), self.row_axis) if is_shared else values) / scale
        halves = halved(values)
        name = self._spread(add, halves, ids)
        return add.to(name, np.float32) if halves.dtype == np.float16 else name

    def _chosen(self, add: Operators, values: Array, ids: str) -> str:
        name = add.constant(values)
        return add("Gather", name, ids) if ids else name

    def _halves(self, add: Operators, codes: Array, bits: int, ids: str) -> str:
        found, width = self._chosen(add, pack_halves(codes, bits), ids), 8
        while width > bits:
            width //= 2
            low = add("BitwiseAnd", found, add.constant(2**width - 1, np.uint8))
            high = add("BitShift", found, add.constant(width, np.uint8), direction="RIGHT")
            found = add("Concat", low, high, axis=-1)
        return add.first_columns(found, codes.shape[1]) if codes.shape[1] % (8 // bits) else found

    def _trits(self, add: Operators, ids: str) -> str:
        columns = self.codes.shape[1]
        packed = self._chosen(add, pack_trits(self.codes - np.uint8(self.grid.least)), ids)
        digits = [packed, *(add("Div", packed, add.constant(3**place, np.uint8)) for place in range(1, TRITS))]
        found = add("Concat", *(add("Mod", digit, add.constant(3, np.uint8)) for digit in digits), axis=-1)
        return add.first_columns(found, columns) if columns % TRITS else found

    def _spread(self, add: Operators, values: Array, ids: str) -> str:
        """Add values such as steps, repeated for the rows and columns that share one; return their name."""
        name, block = add.constant(values), self.grid.block
        if ids and values.shape[self.row_axis] > 1:
            name = add("Gather", name, add("Div", ids, add.constant(block, np.int64)) if block > 1 else ids)
        elif 1 < values.shape[self.row_axis] < self.rows:
            name = add("Gather", name, add.count(self.rows, block), axis=self.row_axis)
        if values.shape[self.group_axis] > 1:
            groups = add.count(self.columns, self.grid.group)
            name = add("Gather", name, groups, axis=-1 if ids else self.group_axis)
        return name
