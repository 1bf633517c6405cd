"""Speeds up the ONNX export of models whose operators all have an ONNX translation.

torch traces each program a second time, to replace operators without a translation and in-place operators. For most of
our models, that replaces only casts and reshapes, and takes half of the export time. Here these are replaced in the
program itself, which gives the same graph. Nor is each operator computed again to find where inputs need a cast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import SymInt, fx
from torch._ops import OperatorBase, OpOverload
from torch.export import ExportedProgram

Replacements = Mapping[OperatorBase, Callable[..., Any]]
_aten = torch.ops.aten
CAST = _aten.to.dtype
RESHAPES = {_aten.flatten.using_ints, _aten.unflatten.int}
# Composite operators that need no replacement other than the one here; not all others are in torch's table.
COMBINATIONS = {
    CAST, *RESHAPES, _aten.layer_norm.default, _aten.linear.default, _aten.lstm.input, _aten.matmul.default,
    _aten.pad.default, _aten.reshape.default, _aten.scaled_dot_product_attention.default, _aten.softmax.int,
    _aten.sym_size.int,
}  # fmt: skip


@contextmanager
def replaced_where_needed() -> Iterator[list[ExportedProgram]]:
    """Inside the block, let torch trace exported programs a second time only if `must_be_traced` says so.

    Yields the list of the programs that were not traced again, filled during the block.
    """
    trace_again, shortened = ExportedProgram.run_decompositions, list[ExportedProgram]()

    def replace(program: ExportedProgram, table: Replacements | None = None, **options: bool) -> ExportedProgram:
        if table is None or must_be_traced(program, table):
            return trace_again(program, table, **options)
        shortened.append(program)
        replace_in(program.graph)
        return program

    ExportedProgram.run_decompositions = replace  # type: ignore[method-assign]
    try:
        with stored_results():
            yield shortened
    finally:
        ExportedProgram.run_decompositions = trace_again  # type: ignore[method-assign]


@contextmanager
def stored_results() -> Iterator[None]:
    """Inside the block, let torch insert casts by the results that a program stores, without computing them again.

    torch passes over the program with an interpreter that computes every operator on tensors without data. That takes
    a fifth of the export time and gives what each node has in its metadata already.
    """
    from torch.onnx._internal.fx.passes.type_promotion import _TypePromotionInterpreter as Promotion
    from torch.onnx._internal.fx.passes.type_promotion import get_type_promotion_rule

    compute = Promotion.run_node

    def run_node(self: Promotion, n: fx.Node) -> object:
        if n.op != "call_function" or "val" not in n.meta:
            return compute(self, n)
        with self._set_current_node(n):
            if rule := get_type_promotion_rule(n, self.type_promotion_table):
                self._maybe_promote_node(n, rule)  # computes the node again if it inserts a cast
        return n.meta["val"]

    Promotion.run_node = run_node  # type: ignore[method-assign]
    try:
        yield
    finally:
        Promotion.run_node = compute  # type: ignore[method-assign]


def must_be_traced(program: ExportedProgram, table: Replacements) -> bool:
    """Does a program have an operator that may have no translation and that `replace_in` does not replace?

    table: torch's replacements for operators without a translation.
    """
    lengths = _lengths(program.graph)
    return any(
        len(_computed(node, lengths)) > 1 if node.target in RESHAPES else not _is_translated(node.target, table)
        for node in program.graph.nodes
    )


def _computed(node: fx.Node, lengths: Mapping[str, object]) -> list[SymInt]:
    """The sizes of a result that are neither constants nor known lengths; a reshape can infer only one of these."""
    known = lengths.keys() | _symbols(node.args[0])
    return [size for size in node.meta["val"].shape if isinstance(size, SymInt) and str(size) not in known]


def _is_translated(target: object, table: Replacements) -> bool:
    """Does the target of a node have a translation, or is it a cast? Python operators on sizes do."""
    if not isinstance(target, OperatorBase) or target in COMBINATIONS:
        return True
    if not isinstance(target, OpOverload) or target._can_decompose():
        return False
    return target not in table and not target._schema.is_mutable


def replace_in(graph: fx.Graph) -> None:
    """Replace casts and reshapes in the graph of a program."""
    lengths = _lengths(graph)
    with graph.inserting_before(next(node for node in graph.nodes if node.op != "placeholder")):
        sizes = {name: _size(graph, given, axis) for name, (given, axis) in lengths.items()}
    for node in graph.nodes:
        if node.target is CAST:
            given, dtype = node.args[:2]
            is_right = given.meta["val"].dtype == dtype
            node.target, node.args = _aten.alias.default if is_right else _aten._to_copy.default, (given,)
            node.kwargs = {} if is_right else {"dtype": dtype}
        elif node.target in RESHAPES:
            with graph.inserting_before(node):
                axes = {name: axis for name, axis in _symbols(node.args[0]).items() if name not in sizes}
                known = sizes | {name: _size(graph, node.args[0], axis) for name, axis in axes.items()}
            shape = [size if isinstance(size, int) else known.get(str(size), -1) for size in node.meta["val"].shape]
            node.target, node.args, node.kwargs = _aten.reshape.default, (node.args[0], shape), {}


def _size(graph: fx.Graph, given: fx.Node, axis: int) -> fx.Node:
    """Add a node for the size of an axis."""
    node = graph.call_function(_aten.sym_size.int, (given, axis))
    node.meta["val"] = given.meta["val"].shape[axis]
    return node


def _symbols(node: Any) -> dict[str, int]:
    """The axes of a tensor with symbolic sizes, by the size's expression."""
    return {str(size): axis for axis, size in enumerate(node.meta["val"].shape) if isinstance(size, SymInt)}


def _lengths(graph: fx.Graph) -> dict[str, tuple[fx.Node, int]]:
    """The inputs and axes with symbolic sizes, by the symbol."""
    inputs = [node for node in graph.nodes if node.op == "placeholder" and isinstance(node.meta["val"], torch.Tensor)]
    return {name: (node, axis) for node in inputs for name, axis in _symbols(node).items()}
