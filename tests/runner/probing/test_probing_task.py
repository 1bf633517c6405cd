"""Sentences, words and trees are tasks of one kind to whoever runs them."""

from __future__ import annotations

from runner.probing.probing_task import ProbingTask
from runner.probing.rows import TaskRows
from runner.probing.treebanks.structural import StructuralTask
from runner.probing.treebanks.words import WordTask


def test_every_task_has_what_is_asked_of_it() -> None:
    wanted = {name for name in vars(ProbingTask) if not name.startswith("_")}
    assert wanted == {"name", "fingerprints", "probe"}
    for kind in (TaskRows, WordTask, StructuralTask):
        assert all(hasattr(kind, name) or name in kind.__dataclass_fields__ for name in wanted)
