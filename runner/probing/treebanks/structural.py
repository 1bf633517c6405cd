"""Structural probes of a treebank: does a layer encode the distances in the tree, and the depths of its words?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from data.counted import counted
from data.sources.conllu import ROOT, Sentence
from models.network import Network
from runner.errors import ConfigError
from runner.probing.fits import by_sentence, interval
from runner.probing.probed import Models, Probed
from runner.probing.results import Line, TaskReport
from runner.probing.tasks import DISTANCE
from runner.probing.treebanks.pieces import LONGEST, cut_into_pieces, piece_states
from runner.probing.treebanks.structural_probe import Parse, fit_structural
from runner.probing.treebanks.tree import chain, depths, distances, edges, is_no_punctuation, spanning_tree
from runner.probing.treebanks.treebank import Treebank
from runner.probing.wanted import WORD

UUAS, ROOTS = "UUAS", "root accuracy"
LENGTHS = (5, 50)  # words of the sentences over whose lengths Spearman's correlation is averaged


@dataclass(frozen=True)
class Judged:
    """The answers of the probes of S layers on the reported sentences."""

    right: np.ndarray  # (S, items) 1 if an edge, or a root, is found
    sentences: np.ndarray  # (items,) the sentence of each edge, or root
    baseline: np.ndarray  # (items,) what a guess without vectors finds
    spearman: np.ndarray  # (S,)


@dataclass(frozen=True)
class StructuralTask:
    """Distances or depths. Sentences of one word besides punctuation, or not read to their end, are left out."""

    name: str  # DISTANCE or DEPTH
    treebank: Treebank

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """The sha256 of each split, trees included."""
        return self.treebank.fingerprints

    @property
    def score(self) -> str:
        """The name of the score that is reported."""
        return UUAS if self.name == DISTANCE else ROOTS

    def target(self, sentence: Sentence) -> np.ndarray:
        """Return the distances (n, n), or depths (n,), of a tree."""
        return distances(sentence.heads) if self.name == DISTANCE else depths(sentence.heads)

    def parses(self, probed: Probed, network: Network) -> dict[str, list[tuple[Sentence, Parse]]]:
        """Return the sentences that can be fitted or judged, with their vectors."""
        layers, found = [cell.layer for cell in probed.cells((WORD,))], {}
        for which, sentences in self.treebank.splits.items():
            pieces = cut_into_pieces(sentences, which, probed.tokenizer, probed.longest(LONGEST))
            states = piece_states(probed, network, pieces.split)
            ends = np.cumsum([0, *map(len, sentences)])
            found[which] = [
                (one, Parse(pieces.means(states, np.arange(begin, end), layers), self.target(one)))
                for one, begin, end in zip(sentences, ends, ends[1:])
                if edges(one.heads, is_no_punctuation(one.upos)) and pieces.is_read[begin:end].all()
            ]
        if not all(found.values()):
            raise ConfigError(
                f"run probe: tasks={self.name}: a split of treebank {self.treebank.name} has no sentence of two words "
                f"besides punctuation that {probed.label} reads to its end. Try: another treebank, or max_words=all"
            )
        return found

    def probe(self, models: Models) -> tuple[TaskReport, dict[str, np.ndarray]]:
        """Fit the probes of all layers, and the controls: random weights, and a baseline without vectors."""
        probed = models.probed
        parses = self.parses(probed, probed.network)
        fits = [self._judged(parses, seed) for seed in probed.wanted.seeds]
        twin = None if models.twin is None else self._judged(self.parses(probed, models.twin), probed.wanted.seeds[0])
        random, first = None if twin is None else twin[1].right.mean(1), fits[0][1]
        lines, right = [], {}
        for place, cell in enumerate(probed.cells((WORD,))):
            values = np.stack([one.right[place] for _, one in fits])
            low, high = interval(values, first.sentences)
            select = float(np.mean([-losses[place] for losses, _ in fits]))
            spearman = float(np.mean([one.spearman[place] for _, one in fits]))
            ranked = None if np.isnan(spearman) else spearman
            at_random = None if random is None else float(random[place])
            lines.append(Line(WORD, cell.layer, select, float(values.mean()), low, high, at_random, spearman=ranked))
            right[cell.name] = by_sentence(values.mean(0), first.sentences)
        counts, baseline = {which: len(found) for which, found in parses.items()}, float(first.baseline.mean())
        report = TaskReport(self.name, self.name, 0, counts, baseline, lines, self.score)
        return replace(report, notes=self._notes(report)), right

    def _judged(self, parses: Mapping[str, Sequence[tuple[Sentence, Parse]]], seed: int) -> tuple[np.ndarray, Judged]:
        """The losses on the selection sentences, (S,), and the answers on the reported ones, of newly fitted probes."""
        train, select = ([parse for _, parse in parses[which]] for which in ("train", "select"))
        probes = fit_structural(train, select, seed=seed)
        answers = [(sentence, parse, probes.answers(parse.vectors)) for sentence, parse in parses["report"]]
        judged = judged_edges(answers) if self.name == DISTANCE else judged_roots(answers)
        return probes.losses(select), judged

    def _notes(self, report: TaskReport) -> list[str]:
        guess = "joins neighbours" if self.name == DISTANCE else "takes the first word"
        notes = [f"acc. is the {self.score}, major. the same for a guess that {guess}"]
        if report.best.spearman is not None:
            notes.append(f"Spearman's correlation with the trees at {report.best.name} is {report.best.spearman:.3f}")
        lost = sum(len(found) - report.rows[which] for which, found in self.treebank.splits.items())
        if lost:
            notes.append(f"left out: {counted(lost, 'sentence')} of one word, or beyond the model's longest text")
        return notes


Answers = Sequence[tuple[Sentence, Parse, np.ndarray]]


def judged_edges(answers: Answers) -> Judged:
    """Judge distances: UUAS, the share of the tree's edges in the spanning tree, without punctuation; and DSpr.

    The baseline joins neighbours.
    """
    right, sentences, baseline = list[list[bool]](), list[int](), list[bool]()
    for number, (sentence, _, found) in enumerate(answers):
        kept = is_no_punctuation(sentence.upos)
        gold, trees = sorted(edges(sentence.heads, kept)), [spanning_tree(one, kept) for one in found]
        right += [[edge in tree for tree in trees] for edge in gold]
        baseline += [edge in chain(kept) for edge in gold]
        sentences += [number] * len(gold)
    return Judged(np.array(right, np.float64).T, np.array(sentences), np.array(baseline), _spearman(answers))


def judged_roots(answers: Answers) -> Judged:
    """Judge depths: is the shallowest word, without punctuation, the root? And NSpr. The baseline: the first word."""
    right, baseline = [], []
    for sentence, _, found in answers:
        kept = is_no_punctuation(sentence.upos)
        root = sentence.heads.index(ROOT)
        right.append(np.where(kept, found, np.inf).argmin(1) == root)
        baseline.append(int(kept.argmax()) == root)
    numbers = np.arange(len(answers))
    return Judged(np.array(right, np.float64).T, numbers, np.array(baseline), _spearman(answers))


def _spearman(answers: Answers) -> np.ndarray:
    """Return the correlation of answers with the tree, averaged over sentence lengths, (S,).

    Nan if no length occurs.
    """
    from scipy.stats import rankdata

    by_length: dict[int, list[np.ndarray]] = {}
    for sentence, parse, found in answers:
        if LENGTHS[0] <= len(sentence) <= LENGTHS[1]:
            ours, theirs = rankdata(found, axis=-1), rankdata(parse.target, axis=-1)
            ours, theirs = ours - ours.mean(-1, keepdims=True), theirs - theirs.mean(-1, keepdims=True)
            scale = np.sqrt(np.square(ours).sum(-1) * np.square(theirs).sum(-1))
            product = (ours * theirs).sum(-1)
            rows = np.divide(product, scale, out=np.zeros_like(product), where=scale > 0)
            by_length.setdefault(len(sentence), []).append(rows.reshape(len(found), -1).mean(1))
    if not by_length:
        return np.full(len(answers[0][2]), np.nan)
    return np.asarray(np.mean([np.mean(rows, 0) for rows in by_length.values()], 0))


def structural_task(name: str, treebank: Treebank) -> StructuralTask:
    """Return the task. Raises ConfigError for a treebank without trees."""
    return StructuralTask(name, with_trees(name, treebank))


def with_trees(name: str, treebank: Treebank) -> Treebank:
    """Return the treebank; raises ConfigError for one without trees, which the task of this name needs."""
    bare = [which for which, found in treebank.splits.items() if not all(one.heads for one in found)]
    if bare:
        raise ConfigError(
            f"run probe: tasks={name}: the column HEAD is empty in sentences of {' and '.join(bare)} of treebank "
            f"{treebank.name}, so they have no trees. Try: another treebank, or tasks=pos"
        )
    return treebank
