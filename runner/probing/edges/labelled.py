"""Sentences whose spans have labels: from files in the format of edge probing, or the arcs of a treebank.

A file has one JSON object per line, as in jiant (github.com/nyu-mll/jiant-v1-legacy, probing/data):

    {"text": "Ian ate cake", "targets": [{"span1": [1, 2], "span2": [0, 1], "label": "A0"}]}

The words of a text are separated by spaces; a span has its first word and the one after its last. All
targets of all files have span2, or none do. A label may be a list of labels.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from data.errors import DataError
from data.sources.conllu import ROOT, Sentence
from runner.errors import ConfigError
from runner.probing.split_files import cut_in_three, files_of_splits, limited_by_words
from runner.probing.tasks import ARCS

SUFFIXES = (".jsonl", ".json")
SHAPE = '{"text": "Ian ate", "targets": [{"span1": [1, 2], "span2": [0, 1], "label": "A0"}]}'
Span = tuple[int, int]  # the first word and the one behind the last, from 0


@dataclass(frozen=True)
class Edge:
    """One span, or two, with their labels."""

    spans: tuple[Span, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Labelled:
    """A sentence with its edges."""

    words: tuple[str, ...]
    edges: tuple[Edge, ...]

    def __len__(self) -> int:
        return len(self.words)


@dataclass(frozen=True)
class LabelledSplits:
    """The sentences of a task."""

    name: str
    splits: dict[str, list[Labelled]]  # train, select and report

    def limited(self, words: int | None) -> LabelledSplits:
        """Return some sentences of each split, drawn by a fixed seed: `words` words to train and half as many else."""
        return self if words is None else replace(self, splits=limited_by_words(self.splits, words))

    @cached_property
    def fingerprints(self) -> Mapping[str, str]:
        """The sha256 of each split, labels included."""
        return {
            which: hashlib.sha256("\n".join(map(repr, found)).encode("utf-8")).hexdigest()
            for which, found in self.splits.items()
        }

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The labels, in alphabetical order."""
        edges = (edge for found in self.splits.values() for one in found for edge in one.edges)
        return tuple(sorted({label for edge in edges for label in edge.labels}))


def arcs_of(splits: Mapping[str, Sequence[Sentence]]) -> LabelledSplits:
    """Return the arcs of trees: a word, its head, and the relation without its subtype; the root has no head."""
    found = {
        which: [Labelled(one.words, tuple(_arcs(one))) for one in sentences] for which, sentences in splits.items()
    }
    return LabelledSplits(ARCS, found)


def _arcs(sentence: Sentence) -> Iterator[Edge]:
    for word, (head, relation) in enumerate(zip(sentence.heads, sentence.relations)):
        if head != ROOT:
            yield Edge(((word, word + 1), (head, head + 1)), (relation.partition(":")[0],))


def edge_task_name(text: str) -> str:
    """Return the name of the task of a file or folder: letters, digits and underscores."""
    return re.sub(r"\W+", "_", Path(text).expanduser().stem.lower()).strip("_") or "edge"


def read_edges(text: str) -> LabelledSplits:
    """Read a folder with three files, or one file, which is split. Raises ConfigError for a path that does not exist.

    Raises DataError for invalid lines, too few labels, and a mixture of edges with one span and with two.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        files = files_of_splits(path, SUFFIXES, "edge")
        splits = {split: list(_read(file)) for split, file in files.items()}
    elif path.is_file():
        splits = cut_in_three(list(_read(path)), text, "edge")
    else:
        raise ConfigError(
            f"run probe: edge={text}: no such file or folder. Try: edge=<a file with lines as {SHAPE}>, or a folder "
            "with three of them, for train, dev and test"
        )
    found = LabelledSplits(edge_task_name(text), splits)
    counts = {len(edge.spans) for sentences in splits.values() for one in sentences for edge in one.edges}
    if len(found.names) < 2 or len(counts) != 1 or not all(any(one.edges for one in few) for few in splits.values()):
        raise DataError(
            f"edge={text}: {len(found.names)} labels, and edges of {' and '.join(map(str, sorted(counts))) or 'no'} "
            "spans: a probe needs two labels, edges in each split, and span2 in all targets or in none. Fix the files"
        )
    return found


def _read(path: Path) -> Iterator[Labelled]:
    """Yield the sentences of a file."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not at the line separators inside texts
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 ({error}). Convert it") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _sentence(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise DataError(
                    f"{path} line {number} ({line!r:.60}): {error}. Each line must be an object like {SHAPE}"
                ) from error


def _sentence(content: dict[str, object]) -> Labelled:
    """Return the sentence in an object; raise ValueError, KeyError or TypeError for another shape."""
    text, targets = content["text"], content["targets"]
    if not isinstance(text, str) or not isinstance(targets, list):
        raise ValueError("text must be a text, and targets a list")
    words = tuple(text.split())
    return Labelled(words, tuple(_edge(target, len(words)) for target in targets))


def _edge(target: dict[str, object], words: int) -> Edge:
    label = target["label"]
    given = label if isinstance(label, list) else [label]
    labels = [one for one in given if isinstance(one, str)]
    if len(labels) < len(given):
        raise ValueError(f"label {label!r} is neither a text nor a list of texts")
    spans = tuple(_span(target[key], words) for key in ("span1", "span2") if target.get(key) is not None)
    if not spans:
        raise ValueError("a target has no span1")
    return Edge(spans, tuple(dict.fromkeys(labels)))


def _span(value: object, words: int) -> Span:
    if not isinstance(value, list) or len(value) != 2 or not all(type(one) is int for one in value):
        raise ValueError(f"span {value!r} is not a pair of whole numbers")
    begin, end = value
    if not 0 <= begin < end <= words:
        raise ValueError(f"span {value!r} does not lie in a text of {words} words")
    return begin, end
