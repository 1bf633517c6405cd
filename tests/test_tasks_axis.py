"""Only runner/tasks/ and conf/ know individual tasks: no other code compares with a task's name."""

from __future__ import annotations

import ast
from pathlib import Path

from runner.tasks import TASKS
from tests.conftest import REPO

# It compares transformers' problem_type, which shares values with the names of our tasks.
FOREIGN = {"models/checkpoints/transformers_model.py"}


def compared(path: Path) -> list[str]:
    """The comparisons with a task's name in one file, as `line: source`."""
    text = path.read_text(encoding="utf-8")
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare):
            sides = [side for part in (node.left, *node.comparators) for side in ast.walk(part)]
            is_field = any(isinstance(side, ast.Attribute) and side.attr == "type" for side in sides)  # of an answer
            if not is_field and any(isinstance(side, ast.Constant) and side.value in TASKS for side in sides):
                found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


def test_no_name_of_a_task_is_compared_outside_the_tasks() -> None:
    paths = [path for top in ("runner", "models", "data") for path in (REPO / top).rglob("*.py")]
    names = {path.relative_to(REPO).as_posix(): path for path in paths}
    found = {name: lines for name, path in names.items() if (lines := compared(path))}
    found = {name: lines for name, lines in found.items() if not name.startswith("runner/tasks/")}
    wrong = {name: lines for name, lines in found.items() if name not in FOREIGN}
    assert not wrong, "\n".join(f"{name}:{line}" for name, lines in wrong.items() for line in lines)
