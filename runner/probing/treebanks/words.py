"""Tasks that give each word of a treebank a class: its part of speech, and its relation to its head."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.inputs.words import hash_words
from data.sources.conllu import NOTHING, Sentence
from models.network import Network
from runner.errors import ConfigError
from runner.probing.class_probes import probe_classes
from runner.probing.probe import Rows, Splits
from runner.probing.probed import Models, Probed
from runner.probing.results import TaskReport
from runner.probing.treebanks.pieces import LONGEST, Pieces, cut_into_pieces, piece_states
from runner.probing.treebanks.treebank import Treebank
from runner.probing.wanted import WORD


def pos_of(sentence: Sentence) -> Sequence[str]:
    """Return the universal part of speech of each word."""
    return sentence.upos


def dependency_of(sentence: Sentence) -> Sequence[str]:
    """Return the universal relation of each word to its head, without its subtype: nsubj of nsubj:pass."""
    return [relation.partition(":")[0] for relation in sentence.relations]


PROPERTIES: dict[str, tuple[Callable[[Sentence], Sequence[str]], str]] = {  # with the column of a file
    "pos": (pos_of, "UPOS"),
    "dependency": (dependency_of, "DEPREL"),
}


@dataclass(frozen=True)
class WordTask:
    """A property of every word; words without it, and words that the model does not read, are left out."""

    name: str
    treebank: Treebank
    property_of: Callable[[Sentence], Sequence[str]]
    group: str | None = None

    @cached_property
    def values(self) -> dict[str, list[str]]:
        """The property of all words of each split, concatenated."""
        splits = self.treebank.splits.items()
        return {which: [value for one in found for value in self.property_of(one)] for which, found in splits}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The classes, in alphabetical order."""
        return tuple(sorted({value for found in self.values.values() for value in found} - {NOTHING, ""}))

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.names)

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """The sha256 of the words and classes of each split."""
        return {
            which: hashlib.sha256((self.treebank.fingerprints[which] + self.name).encode()).hexdigest()
            for which in self.values
        }

    def pools(self, probed: Probed) -> tuple[str, ...]:
        """Return the only pooling: the mean over a word's pieces."""
        return (WORD,)

    def pieces(self, probed: Probed) -> dict[str, Pieces]:
        """Return the sentences in pieces as a model reads them."""
        longest = probed.longest(LONGEST)
        return {
            which: cut_into_pieces(found, which, probed.tokenizer, longest)
            for which, found in self.treebank.splits.items()
        }

    def labels(self, which: str) -> np.ndarray:
        """Return the class of each word of a split, (words,) int64; -1 for none."""
        number = {name: place for place, name in enumerate(self.names)}
        return np.array([number.get(value, -1) for value in self.values[which]], np.int64)

    def chosen(self, which: str, pieces: Pieces) -> np.ndarray:
        """Return the words that are rows: those with a class that the model reads, (rows,) int64."""
        return np.flatnonzero(pieces.is_read & (self.labels(which) >= 0))

    def rows(self, probed: Probed, network: Network) -> Splits:
        """Return the words as vectors of the layers."""
        layers, found = [cell.layer for cell in probed.cells((WORD,))], {}
        for which, pieces in self.pieces(probed).items():
            words = self.chosen(which, pieces)
            vectors = pieces.means(piece_states(probed, network, pieces.split), words, layers)
            found[which] = Rows(vectors, self.labels(which)[words], pieces.sentences[words])
        return found

    def types(self, probed: Probed) -> dict[str, np.ndarray]:
        """Return the word type of each row as a number, so that the control task is that of Hewitt and Liang."""
        found = {}
        for which, pieces in self.pieces(probed).items():
            hashes = hash_words([one.words for one in self.treebank.splits[which]])
            found[which] = hashes[self.chosen(which, pieces)].view(np.int64)
        return found

    def notes(self, probed: Probed) -> list[str]:
        """Return how many words the model does not read."""
        pieces = self.pieces(probed).values()
        lost, words = sum(int((~one.is_read).sum()) for one in pieces), sum(len(one.counts) for one in pieces)
        if not lost:
            return []
        limit = probed.longest(LONGEST)
        return [f"{lost:,} of {words:,} words are beyond {limit} tokens, or have none, and are left out"]

    def probe(self, models: Models) -> tuple[TaskReport, dict[str, np.ndarray]]:
        """Fit all probes, as for sentences."""
        return probe_classes(self, models)


def word_task(name: str, treebank: Treebank) -> WordTask:
    """Return the task of a property. Raises ConfigError for a treebank without it."""
    property_of, column = PROPERTIES[name]
    task = WordTask(name, treebank, property_of, "words")
    for which, values in task.values.items():
        if not set(values) - {NOTHING, ""}:
            raise ConfigError(
                f"run probe: tasks={name}: the column {column} is empty in the {which} sentences of treebank "
                f"{treebank.name}. Try: another treebank, or tasks={next(n for n in PROPERTIES if n != name)}"
            )
    if task.classes < 2:
        raise ConfigError(
            f"run probe: tasks={name}: all words of treebank {treebank.name} have the same class {task.names[0]}, but "
            "a probe needs two. Try: another treebank"
        )
    return task
