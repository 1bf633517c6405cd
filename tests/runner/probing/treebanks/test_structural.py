"""Trees are judged by their edges, roots and ranks; and the task from its vectors to its lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from data.sources.conllu import Sentence
from runner.errors import ConfigError
from runner.probing.probed import Models, Probed
from runner.probing.tasks import DEPTH, DISTANCE
from runner.probing.treebanks import structural_probe
from runner.probing.treebanks.structural import judged_edges, judged_roots, structural_task
from runner.probing.treebanks.structural_probe import Parse
from runner.probing.treebanks.tree import depths, distances
from runner.probing.treebanks.treebank import Treebank
from tests.runner.probing.treebanks.made import path_vectors, random_sentence


def with_answers(sentence: Sentence, target: np.ndarray, *found: np.ndarray) -> tuple[Sentence, Parse, np.ndarray]:
    return sentence, Parse(np.zeros((len(sentence), len(found), 1)), target), np.stack(found)


def test_vectors_that_embed_the_tree_have_every_edge_root_and_rank() -> None:
    generator = np.random.default_rng(0)
    sentences = [random_sentence(words, generator) for words in (5, 9, 9, 14)]
    edges, roots = [], []
    for one in sentences:
        vectors = path_vectors(one.heads, 16)
        squares = np.square(vectors[:, None] - vectors[None]).sum(-1)
        noise = generator.random(squares.shape)
        edges.append(with_answers(one, distances(one.heads), squares, noise + noise.T))
        roots.append(with_answers(one, depths(one.heads), np.square(vectors).sum(-1), noise[0]))
    for judged in (judged_edges(edges), judged_roots(roots)):
        assert judged.right[0].mean() == 1 and judged.spearman[0] == pytest.approx(1)
        assert judged.right[1].mean() < 0.6 and judged.spearman[1] < 0.6
    assert len(judged_edges(edges).right[0]) == sum(len(one) - 1 for one in sentences)


def test_ranks_are_those_of_scipy_by_word_and_then_by_length() -> None:
    generator = np.random.default_rng(1)
    sentences = [random_sentence(words, generator) for words in (4, 6, 6, 8)]
    answers = [with_answers(one, distances(one.heads), generator.random((len(one),) * 2)) for one in sentences]
    means = [
        np.mean([spearmanr(ours, theirs).statistic for ours, theirs in zip(found[0], parse.target)])
        for _, parse, found in answers
    ]
    assert judged_edges(answers).spearman == pytest.approx([((means[1] + means[2]) / 2 + means[3]) / 2])
    assert np.isnan(judged_edges(answers[:1]).spearman).all(), "lengths begin at five words"


def test_punctuation_is_neither_in_an_edge_nor_a_root() -> None:
    one = Sentence(("a", "b", ".", "c"), ("X", "X", "PUNCT", "X"), ({},) * 4, (1, -1, 1, 1), ("dep",) * 4)
    judged = judged_edges([with_answers(one, distances(one.heads), distances(one.heads))])
    assert judged.right.tolist() == [[1, 1]] and judged.baseline.tolist() == [True, True]
    assert judged_roots([with_answers(one, depths(one.heads), np.array([2, 1, 0, 3]))]).right.tolist() == [[1]]


@pytest.mark.parametrize(("name", "score"), [(DISTANCE, "UUAS"), (DEPTH, "root accuracy")])
def test_a_treebank_has_a_line_for_each_layer(
    name: str, score: str, treebank: Treebank, probed: Probed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(structural_probe, "RATE", 0.02)
    monkeypatch.setattr(structural_probe, "PLAN", replace(structural_probe.PLAN, evaluations=4))
    report, right = structural_task(name, treebank).probe(Models(probed, probed.network, None))
    assert [line.name for line in report.lines] == ["word_0", "word_1", "word_2"] == [*right]
    assert report.score == score and report.notes[0].startswith(f"acc. is the {score}")
    assert report.best.accuracy > 0.7 and report.best.spearman is not None and report.best.spearman > 0.5
    assert report.best.random == pytest.approx(report.best.accuracy), "the same network as its own twin"
    assert np.mean(right[report.best.name]) == pytest.approx(report.best.accuracy)
    assert len(right["word_0"]) == report.rows["report"] == 25


def test_a_treebank_without_trees_is_refused(treebank: Treebank) -> None:
    bare = {name: [replace(one, heads=()) for one in found] for name, found in treebank.splits.items()}
    with pytest.raises(ConfigError, match=r"HEAD is empty in sentences of train and select .*Try: .*tasks=pos"):
        structural_task(DISTANCE, replace(treebank, splits=bare))
