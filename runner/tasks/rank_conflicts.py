"""Settings that rankings forbid: one line for each, with the cure. Nothing heavy is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.settings import GROUP_RULES, DataSettings
from models.compression.settings.exits import Exits
from models.compression.settings.learn import TaughtSettings

if TYPE_CHECKING:
    from runner.schema import Settings

PARTS = ("queries", "corpus", "qrels", "candidates")
OF_FILES = "data.queries=q.tsv data.corpus=docs.tsv data.qrels=qrels.txt data.candidates=run.txt"


def rank_conflicts(settings: Settings) -> list[str]:
    """Return one line for every setting that rankings forbid."""
    data, found = settings.data, _further_texts(settings) + _exits(settings)
    if data.source == "demo":
        return found
    return found + (_collection(data) if _named(data) else _grouped(data))


def _further_texts(settings: Settings) -> list[str]:
    """Return one line for each stage that learns from texts without a query."""
    found = []
    for name, stage in settings.compression.items():
        if isinstance(stage, TaughtSettings) and stage.unlabelled:
            found.append(
                f"compression.{name}.unlabelled={stage.unlabelled}: these texts belong to no query, and a document is "
                "compared with others of its query. Leave it out"
            )
    return found


def _exits(settings: Settings) -> list[str]:
    """Return one line for each stage after which a query's documents may get their scores from different layers."""
    return [
        f"compression=[{name}]: documents of a query are compared by their scores, but scores of different exits "
        "are not comparable. Try: 'compression=[int8]'"
        for name, stage in settings.compression.items()
        if isinstance(stage, Exits)
    ]


def _named(data: DataSettings) -> dict[str, str]:
    """Return the parts of a collection that the settings name."""
    given = {"queries": data.queries, "corpus": data.corpus, "qrels": data.qrels, "candidates": data.candidates}
    return {name: value for name, value in given.items() if value is not None}


def _collection(data: DataSettings) -> list[str]:
    """Return contradictions of a collection of queries, documents, judgements and candidates."""
    named, found = _named(data), []
    if missing := [name for name in PARTS if name not in named]:
        cure = " ".join(f"data.{name}=..." for name in missing)
        found.append(f"task=rank: the collection also needs {' and '.join(missing)}. Try: {cure}")
    if given := [name for name, value in _paths(data).items() if value is not None]:
        found.append(f"data.{given[0]} names rows of a file, and data.queries a collection. Leave one of them out")
    if data.group is not None:
        found.append(f"data.group={data.group}: a collection already says which query a document is for. Leave it out")
    return found


def _paths(data: DataSettings) -> dict[str, str | None]:
    """Return the files of rows."""
    return {
        "path": data.path, "train_path": data.train_path, "val_path": data.val_path, "test_path": data.test_path,
    }  # fmt: skip


def _grouped(data: DataSettings) -> list[str]:
    """Return contradictions of rows of a query, a document and a label."""
    found = []
    if data.group is None or data.group in GROUP_RULES:
        found.append(
            "task=rank: rows of one query belong together, but nothing says which. Try: data.group=<the column of "
            f"the query's id, or of its text>, or a collection: {OF_FILES}"
        )
    if data.text_pair is None:
        found.append(
            "task=rank: a query and a document are two texts. Try: data.text_pair=<the column of the document>"
        )
    if data.label is None:
        found.append("task=rank: data.label=null, but relevance is learned from labels. Try: data.label=label")
    return found
