"""The tasks that a command names: from a data set with classes, a treebank, files of labelled spans, or of SentEval."""

from __future__ import annotations

from collections.abc import Sequence

from data.settings import DataSettings
from data.stores.build_once import SharedCache
from runner.probing.edges.edge_task import EdgeTask
from runner.probing.edges.labelled import arcs_of, read_edges
from runner.probing.labelled_sentences import sentence_task
from runner.probing.probing_task import ProbingTask
from runner.probing.rows import data_of_task, read_task
from runner.probing.senteval import read_senteval, task_file
from runner.probing.tasks import ARCS, GROUP_OF, SENTENCES, STRUCTURAL_TASKS
from runner.probing.treebanks.generated import generate
from runner.probing.treebanks.structural import structural_task, with_trees
from runner.probing.treebanks.treebank import Treebank, read_treebank
from runner.probing.treebanks.words import word_task
from runner.probing.wanted import SENTEVAL, Source


def read_tasks(
    source: Source, names: Sequence[str], data: DataSettings, cache: SharedCache
) -> tuple[str, list[ProbingTask]]:
    """Return the name of the source, and its tasks of these names. Raises DataError and ConfigError."""
    if source.treebank:
        treebank = read_treebank(source.treebank)
        limited = treebank.limited(source.max_words)
        return treebank.name, [_task_of(name, treebank, limited, cache) for name in names]
    if source.edge:
        labelled = read_edges(source.edge)
        return labelled.name, [EdgeTask(labelled.limited(source.max_words))]
    if source.senteval:
        files = {name: task_file(source.senteval, name) for name in names}
        splits = {name: read_senteval(path, source.max_rows) for name, path in files.items()}
        return SENTEVAL, [sentence_task(name, GROUP_OF[name], found, cache) for name, found in splits.items()]
    return data.name, [read_task(name, data_of_task(data, name), cache) for name in names]


def _task_of(name: str, whole: Treebank, limited: Treebank, cache: SharedCache) -> ProbingTask:
    """Return a task of a treebank: tasks of words and trees use some sentences, tasks of sentences all of them."""
    if name in SENTENCES:
        made = generate(name, whole).items()
        splits = {which: [(one.text, one.label) for one in examples] for which, examples in made}
        return sentence_task(f"{whole.short_name}_{name}", GROUP_OF[name], splits, cache)
    if name == ARCS:
        return EdgeTask(arcs_of(with_trees(name, limited).splits))
    return structural_task(name, limited) if name in STRUCTURAL_TASKS else word_task(name, limited)
