"""The tasks that a command names, read from a data set with classes or from a treebank."""

from __future__ import annotations

from collections.abc import Sequence

from data.settings import DataSettings
from data.stores.build_once import SharedCache
from runner.probing.probing_task import ProbingTask
from runner.probing.rows import data_of_task, read_task
from runner.probing.tasks import STRUCTURAL_TASKS
from runner.probing.treebanks.structural import structural_task
from runner.probing.treebanks.treebank import Treebank, read_treebank
from runner.probing.treebanks.words import word_task
from runner.probing.wanted import Source


def read_tasks(
    source: Source, names: Sequence[str], data: DataSettings, cache: SharedCache
) -> tuple[str, list[ProbingTask]]:
    """Return the name of what is probed, and its tasks of these names. Raises DataError and ConfigError."""
    if source.treebank:
        treebank = read_treebank(source.treebank)
        limited = treebank.limited(source.max_words)
        return treebank.name, [_task_of(name, limited) for name in names]
    return data.name, [read_task(name, data_of_task(data, name), cache) for name in names]


def _task_of(name: str, treebank: Treebank) -> ProbingTask:
    return structural_task(name, treebank) if name in STRUCTURAL_TASKS else word_task(name, treebank)
