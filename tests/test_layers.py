"""Packages are arranged in layers: modules import only from lower layers, even in functions and for types."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import REPO

LAYERS = (
    ("runner.version", "runner.sanitize"),
    ("runner.errors",),
    ("runner.schema",),
    ("runner.machine", "runner.statistics"),
    ("runner.tasks",),
    ("runner.record",),
    ("runner.track", "runner.tune", "runner.measure", "runner.audit"),
    ("runner.config", "runner.training", "runner.report"),
    ("runner.deploy", "runner.compare"),
    ("runner.experiment",),
    (
        "runner.sweep",
        "runner.diagnostics",
        "runner.mistakes",
        "runner.minimal_pairs",
        "runner.probing",
        "runner.zero_shot",
        "runner.cascade",
    ),
    ("runner.best",),
    ("runner.commands",),
    ("runner.cli", "runner.python"),
)
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}
# Imports of our own modules inside functions, which delay loading torch and other large libraries.
MOST_INNER_IMPORTS = 12


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(REPO).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for top in ("runner", "models", "data") for path in (REPO / top).rglob("*.py")}


def targets_of(node: ast.AST) -> Iterator[str]:
    """Our modules that one statement imports."""
    if isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            if whole in MODULES or node.module in MODULES:
                yield whole if whole in MODULES else node.module
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in MODULES)


def statements_of(node: ast.AST, *, is_inner: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    """Every statement below a node, at any depth, and whether it is inside a function."""
    is_inner = is_inner or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child, is_inner
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from statements_of(child, is_inner=is_inner)


@cache
def imports_of(path: Path) -> tuple[tuple[str, int, bool], ...]:
    """Our modules that a file imports, even only for types: name, line, and whether it is inside a function."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return tuple(
        (target, statement.lineno, is_inner)
        for statement, is_inner in statements_of(tree)
        for target in targets_of(statement)
    )


def imported(path: Path) -> set[str]:
    """All of our modules that a file imports: at the top, inside functions, or only for types."""
    return {target for target, _, _ in imports_of(path)}


def inner_imports(path: Path) -> set[int]:
    """The lines inside functions that import a module of ours."""
    return {line for _, line, is_inner in imports_of(path) if is_inner}


def package_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def upward_imports(module: str) -> set[str]:
    """The packages on its own layer or above that a module imports; their `settings` modules are allowed."""
    own = package_of(module)
    theirs = {package_of(other) for other in imported(MODULES[module]) if not other.endswith(".settings")}
    return {other for other in theirs - {own} if other in LAYER and LAYER[other] >= LAYER[own]}


def test_every_package_of_the_runner_has_a_layer() -> None:
    assert {package_of(module) for module in MODULES if module.startswith("runner.")} == set(LAYER)


def test_the_page_of_the_runner_shows_these_layers() -> None:
    page = (REPO / "runner/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (`.*?`) \|", page.partition("| layer |")[2].partition("\n\n")[0], re.M)
    shown = {int(number): set(re.findall(r"`(?:runner/)?(\w+)(?:\.py)?`", names)) for number, names in rows}
    assert shown == {number: {name.removeprefix("runner.") for name in names} for number, names in enumerate(LAYERS)}


def test_imports_go_down() -> None:
    wrong = {module: found for module in MODULES if module.startswith("runner.") and (found := upward_imports(module))}
    assert not wrong, "on their own layer or above: " + "; ".join(f"{m} imports {found}" for m, found in wrong.items())


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {module: imported(path) - {module} for module, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_functions_import_our_own_modules_only_where_heavy_libraries_must_wait() -> None:
    found = [f"{module}:{line}" for module, path in MODULES.items() for line in sorted(inner_imports(path))]
    assert len(found) <= MOST_INNER_IMPORTS, "\n".join(found)
