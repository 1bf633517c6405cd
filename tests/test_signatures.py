"""Few signatures use `Any`, and few attributes are read without being declared; both limits may only be lowered."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.test_layers import MODULES

MOST_ANY = 106  # uses of `Any` in signatures of functions
MOST_PROBES = 15  # calls of getattr and hasattr


def annotations_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    """Yield the annotations of the arguments and of the result."""
    own = function.args
    every = [*own.posonlyargs, *own.args, *own.kwonlyargs, own.vararg, own.kwarg]
    found = [*(argument.annotation for argument in every if argument), function.returns]
    yield from (annotation for annotation in found if annotation)


def any_lines(tree: ast.AST) -> Iterator[int]:
    """Yield the line of each `Any` in a signature."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts = (part for annotation in annotations_of(node) for part in ast.walk(annotation))
            yield from (part.lineno for part in parts if isinstance(part, ast.Name) and part.id == "Any")


def probe_lines(tree: ast.AST) -> Iterator[int]:
    """Yield the line of each call of getattr or hasattr."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "hasattr"):
            yield node.lineno


TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in MODULES.items()}


def test_any_in_every_place_of_a_signature_is_counted() -> None:
    source = "def f(a: Any, /, b: list[Any], *c: Any, d: Any = 0, **e: Any) -> dict[str, Any]:\n    g: Any = h\n"
    assert list(any_lines(ast.parse(source))) == [1] * 6


def test_few_signatures_say_any() -> None:
    found = [f"{module}:{line}" for module, tree in TREES.items() for line in any_lines(tree)]
    assert len(found) <= MOST_ANY, f"{len(found)} times Any; say which type it is:\n" + "\n".join(found)


def test_few_attributes_are_probed_for() -> None:
    found = [f"{module}:{line}" for module, tree in TREES.items() for line in probe_lines(tree)]
    assert len(found) <= MOST_PROBES, f"{len(found)} probes; declare the attribute instead:\n" + "\n".join(found)
