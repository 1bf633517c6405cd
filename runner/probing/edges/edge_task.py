"""A task of edges: one probe per layer, and with mix=true probes of the mean of layers 0 to l, for every l."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from data.inputs.words import hash_words
from data.sources.conllu import NOTHING, Sentence
from models.network import Network
from runner.errors import ConfigError
from runner.probing.controls import control_labels, label_by_token
from runner.probing.edges.edge_probe import EdgeProbes, Edges, fit_edges
from runner.probing.edges.labelled import Edge, Labelled, LabelledSplits
from runner.probing.edges.micro_f1 import f1_by_sentence, f1_interval
from runner.probing.probed import Models, Probed
from runner.probing.results import Line, Mix, TaskReport
from runner.probing.tasks import EDGES
from runner.probing.treebanks.pieces import LONGEST, Pieces, cut_into_pieces, piece_states
from runner.probing.wanted import SPAN

SCORE = "micro F1"
LEAST_GAIN = 1e-9  # of a score: less is rounding


@dataclass(frozen=True)
class Chosen:
    """The edges of a split whose words a model reads entirely, with their sentences."""

    pieces: Pieces
    edges: list[Edge]
    sentences: np.ndarray  # (n,) int64
    starts: np.ndarray  # (n, K) int64: the first token of each span
    counts: np.ndarray  # (n, K) int64


@dataclass(frozen=True)
class EdgeTask:
    """The labels of edges; those with a word that the model does not read are left out."""

    labelled: LabelledSplits

    @property
    def name(self) -> str:
        """The name in tables and files."""
        return self.labelled.name

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """The sha256 of each split, labels included."""
        return self.labelled.fingerprints

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The number of each label."""
        return {name: place for place, name in enumerate(self.labelled.names)}

    def chosen(self, probed: Probed) -> dict[str, Chosen]:
        """Return the edges by split. Raises ConfigError if a split has none that the model reads."""
        longest = probed.longest(LONGEST)
        found = {
            which: _chosen(sentences, cut_into_pieces([*map(_bare, sentences)], which, probed.tokenizer, longest))
            for which, sentences in self.labelled.splits.items()
        }
        if not all(one.edges for one in found.values()):
            raise ConfigError(
                f"run probe: {self.name}: a split has no edge whose words {probed.label} reads. Try: max_words=all"
            )
        return found

    def labels(self, edges: list[Edge]) -> np.ndarray:
        """Return 1 for each label that an edge has, else 0, (n, C) float32."""
        found = np.zeros((len(edges), len(self.numbers)), np.float32)
        for row, edge in enumerate(edges):
            found[row, [self.numbers[label] for label in edge.labels]] = 1
        return found

    def edges(self, probed: Probed, network: Network, chosen: Mapping[str, Chosen]) -> dict[str, Edges]:
        """Return the edges with the vectors of the layers, of the model's network or of its twin."""
        layers = [cell.layer for cell in probed.cells((SPAN,))]
        found = {}
        for which, one in chosen.items():
            states = piece_states(probed, network, one.pieces.split)
            states = states if states.shape[1] == len(layers) else states[:, layers]
            found[which] = Edges(states, one.starts, one.counts, self.labels(one.edges))
        return found

    def probe(self, models: Models) -> tuple[TaskReport, dict[str, np.ndarray]]:
        """Fit the probes of all layers, and the controls with random weights and with random labels."""
        probed, chosen = models.probed, self.chosen(models.probed)
        wanted, cells = probed.wanted, probed.cells((SPAN,))
        edges, sentences = self.edges(probed, probed.network, chosen), chosen["report"].sentences
        layers = len(cells)
        reads = np.concatenate([np.eye(layers, dtype=bool), np.tri(layers, dtype=bool)[1:]][: 1 + wanted.has_mix])
        fits = [fit_edges(edges["train"], edges["select"], reads, wanted.form, seed) for seed in wanted.seeds]
        values = np.stack([_by_sentence(fit, edges["report"], sentences) for fit in fits])
        select = np.mean([_scores(fit, edges["select"]) for fit in fits], 0)
        single, once = np.eye(layers, dtype=bool), wanted.seeds[0]
        random = control = np.full(layers, None)
        if models.twin is not None:
            other = self.edges(probed, models.twin, chosen)
            random = _scores(fit_edges(other["train"], other["select"], single, wanted.form, once), other["report"])
        if wanted.has_control:
            own = self._control(edges, chosen, once)
            control = _scores(fit_edges(own["train"], own["select"], single, wanted.form, once), own["report"])
        lines = [
            Line(
                SPAN, cell.layer, float(select[place]), float(values[:, place].mean()), *f1_interval(values[:, place]),
                _number(random[place]), _number(control[place]),
            )
            for place, cell in enumerate(cells)
        ]  # fmt: skip
        counts = {which: len(one) for which, one in edges.items()}
        report = TaskReport(self.name, EDGES, len(self.numbers), counts, self._guess(edges), lines, SCORE)
        if wanted.has_mix and layers > 1:
            weights = np.mean([fit.weights_of_layers()[-1].detach().numpy() for fit in fits], 0)
            mixed = values[:, -1]
            mix = Mix(SPAN, [cell.layer for cell in cells], weights.tolist(), float(mixed.mean()), *f1_interval(mixed))
            report = replace(report, mixes=[mix])
        right = {cell.name: values[:, place].mean(0) for place, cell in enumerate(cells)}
        return replace(report, notes=self._notes(report, values.mean((0, 2)))), right

    def _control(self, edges: Mapping[str, Edges], chosen: Mapping[str, Chosen], seed: int) -> dict[str, Edges]:
        """Return the edges with the labels of a random training edge, one for each text of the first span."""
        types = {which: _first_spans(self.labelled.splits[which], one) for which, one in chosen.items()}
        places = np.arange(len(edges["train"]))
        drawn = control_labels(np.concatenate([*types.values()]), places, seed)
        labels = edges["train"].labels
        return {which: replace(one, labels=labels[label_by_token(types[which], drawn)]) for which, one in edges.items()}

    def _guess(self, edges: Mapping[str, Edges]) -> float:
        """Return the score of always answering the most frequent label of the training edges."""
        train, report = edges["train"].labels, edges["report"].labels
        answers = np.zeros_like(report, bool)
        answers[:, train.sum(0).argmax()] = True
        return float(f1_by_sentence(answers, report, np.zeros(len(report), np.int64)).mean())

    def _notes(self, report: TaskReport, scores: np.ndarray) -> list[str]:
        """Return the meaning of the score, the number of edges left out, and for mixes what each further layer adds."""
        notes = [f"acc. is the {SCORE} of labels, major. the same for the most frequent one; no bits or information"]
        all_edges = sum(len(one.edges) for found in self.labelled.splits.values() for one in found)
        if lost := all_edges - sum(report.rows.values()):
            notes.append(f"{lost:,} of {all_edges:,} edges have a word that the model does not read, and are left out")
        for mix in report.mixes:
            layers = len(mix.layers)
            cumulative = np.array([scores[0], *scores[layers:]])
            expected = expected_layer(cumulative, mix.layers)
            notes.append(mix.words)
            notes.append(
                f"mixes of the layers up to {' '.join(map(str, mix.layers))}: "
                f"{' '.join(f'{score:.3f}' for score in cumulative)}, expected layer "
                f"{'undefined: no gain over the first' if np.isnan(expected) else f'{expected:.2f}'}"
            )
        return notes


def expected_layer(scores: np.ndarray, layers: list[int]) -> float:
    """Return the mean of the layers' numbers weighted by what each adds to the score; nan if together they add nothing.

    scores: of mixes of the layers up to each of these. Source: arXiv 1905.05950, its expected layer.
    """
    gains = np.diff(scores)
    total = float(gains.sum())
    return float(np.dot(gains, layers[1:])) / total if total > LEAST_GAIN else float("nan")


def _chosen(sentences: list[Labelled], pieces: Pieces) -> Chosen:
    """Return the edges of these sentences whose words are all read, with the tokens of their spans."""
    edges, numbers, starts, counts = [], list[int](), list[list[int]](), list[list[int]]()
    first = np.cumsum([0, *map(len, sentences)])
    for number, one in enumerate(sentences):
        for edge in one.edges:
            words = [(int(first[number]) + begin, int(first[number]) + end) for begin, end in edge.spans]
            if all(pieces.is_read[begin:end].all() for begin, end in words):
                begins = [int(pieces.starts[begin]) for begin, _ in words]
                ends = [int(pieces.starts[end - 1] + pieces.counts[end - 1]) for _, end in words]
                edges.append(edge)
                numbers.append(number)
                starts.append(begins)
                counts.append([end - begin for begin, end in zip(begins, ends)])
    return Chosen(pieces, edges, np.array(numbers, np.int64), np.array(starts, np.int64), np.array(counts, np.int64))


def _bare(sentence: Labelled) -> Sentence:
    """Return the words without special tokens, cut into pieces."""
    count = len(sentence.words)
    return Sentence(sentence.words, (NOTHING,) * count, ({},) * count, (), (NOTHING,) * count)


def _first_spans(sentences: list[Labelled], chosen: Chosen) -> np.ndarray:
    """Return the text of the first span of each edge as a number, (n,) int64."""
    spans = [(sentences[number].words, edge.spans[0]) for number, edge in zip(chosen.sentences, chosen.edges)]
    return hash_words([[" ".join(words[begin:end]) for words, (begin, end) in spans]]).view(np.int64)


def _by_sentence(fit: EdgeProbes, edges: Edges, sentences: np.ndarray) -> np.ndarray:
    return f1_by_sentence(fit.answers(edges), edges.labels, sentences)


def _scores(fit: EdgeProbes, edges: Edges) -> np.ndarray:
    """Return the score of each probe, (S,)."""
    return _by_sentence(fit, edges, np.zeros(len(edges), np.int64))[..., 0]


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
