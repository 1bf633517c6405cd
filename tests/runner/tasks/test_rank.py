"""The task of rankings: its answers, its passages, and that it learns with every loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from data.batch import collate
from data.labels import Labels
from data.settings import DataSettings
from data.splits import TokenSplit
from data.targets.relevance import Relevance
from data.units import Units, unit_batches
from models.build import build
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.tasks.base import LabelFacts
from runner.tasks.rank import Rank, document_scores, score_of
from runner.tasks.rank_losses import LOSSES
from runner.training.inference import to_tensors
from tests.data.helpers import split_of

# gain, candidate?, first score, query
VALUES = np.array([[0, 1, 3, 0], [2, 1, 2, 0], [1, 0, 0, 0], [1, 1, 5, 1], [0, 1, 6, 1]], np.float32)


def split() -> TokenSplit:
    return replace(split_of([[1, 2]] * 5, name="test"), labels=Labels(VALUES))


def test_answers_are_by_query_and_scored_by_the_facts() -> None:
    found = Rank().answers(np.array([[0.5], [0.1], [9.0], [1.0], [0.0]]), split())
    assert found.offsets is not None and found.offsets.tolist() == [0, 3, 5] and len(found) == 2
    assert Rank().score("mrr@10").value(found) == 0.75 and Rank().score("map").value(found) == 0.625
    assert Rank().score("candidate_recall").value(found) == 0.75
    strict = Rank(LabelFacts(relevant_from=2.0))
    assert strict.score("mrr@10").value(strict.answers(np.zeros((5, 1)), split())) == 0.5
    assert Rank().baseline(split(), split(), "mrr@10") == 0.5
    assert Rank().is_constant(Rank().answers(np.zeros((5, 1)), split()))


@pytest.mark.parametrize(("loss", "counted"), [("listwise", [0, 1]), ("hinge", [0]), ("pairwise", [0])])
def test_a_split_has_the_loss_of_the_queries_that_training_would_count(loss: str, counted: list[int]) -> None:
    values = np.array([[1, 1, 0, 0], [0, 1, 0, 0], [2, 1, 0, 1], [1, 1, 0, 1], [0, 1, 0, 2]], np.float32)
    rows, kept = replace(split_of([[1, 2]] * 5), labels=Labels(values)), np.float32([[0.5], [1.0], [2.0], [0.0], [1.0]])
    task, groups = Rank(LabelFacts(loss=loss)), values[:, 3].astype(np.int64)
    losses = []
    for query in counted:  # all candidates of query 1 are relevant, none of query 2
        own = groups == query
        targets = {"labels": torch.from_numpy(values[own, 0]), "item_groups": torch.from_numpy(0 * groups[own])}
        losses.append(float(task.loss(torch.from_numpy(kept[own]), targets)))
    assert task.evaluated_loss(kept, rows) == pytest.approx(np.mean(losses))
    assert task.weight({"labels": values[:, 0], "item_groups": groups}) == len(counted)
    more = np.insert(values, [1, 3], np.float32([[1, 0, 0, 0], [2, 0, 0, 1]]), axis=0)  # relevant, but no candidates
    other = replace(split_of([[1, 2]] * 7), labels=Labels(more))
    assert task.evaluated_loss(np.insert(kept, [1, 3], 9.0, axis=0), other) == pytest.approx(np.mean(losses))


def test_the_line_about_the_training_rows_counts_candidates_alone() -> None:
    assert Rank().describe(split()) == "task: ranking of 4 candidates of 2 queries, 2 of them relevant"


def test_scores_that_are_no_numbers_fail() -> None:
    with pytest.raises(ValueError, match="of 1 of 5 pairs are not finite"):
        Rank().answers(np.array([[0.5], [np.nan], [9.0], [1.0], [0.0]]), split())


def test_a_document_is_scored_by_its_passages() -> None:
    kept, parts = np.array([[0.2], [0.9], [0.8], [0.7]]), np.array([0, 2, 4])
    order = {name: document_scores(kept, parts, name).argmax() for name in ("max", "first", "mean")}
    assert order == {"max": 0, "first": 1, "mean": 1}
    found = {name: document_scores(kept, parts, name).tolist() for name in ("max", "first", "mean")}
    assert found == {"max": [0.9, 0.8], "first": [0.2, 0.8], "mean": pytest.approx([0.55, 0.75])}


def test_two_classes_rank_and_learn_as_one_output() -> None:
    random = torch.Generator().manual_seed(0)
    two = torch.randn(8, 2, generator=random)
    one, labels = (two[:, 1] - two[:, 0])[:, None], torch.tensor([1.0, 0, 0, 0, 1, 0, 0, 0])
    targets = {"labels": labels, "item_groups": torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])}
    wanted = torch.nn.functional.cross_entropy(two, labels.long())
    assert float(Rank().loss(two, targets)) == pytest.approx(float(wanted), abs=1e-6)
    for name in LOSSES:
        task = Rank(LabelFacts(loss=name))
        assert float(task.loss(two, targets)) == pytest.approx(float(task.loss(one, targets)), abs=1e-6)
    assert score_of(two).argsort().tolist() == two.softmax(1)[:, 1].argsort().tolist()


def test_parts_of_a_batch_weigh_by_their_groups() -> None:
    targets = {"labels": np.array([1, 0, 0, 1, 0, 0]), "item_groups": np.array([0, 0, 0, 1, 1, 1])}
    assert Rank().weight(targets) == 6 and Rank(LabelFacts(loss="hinge")).weight(targets) == 2
    alone = {"labels": np.array([1, 1, 0, 1]), "item_groups": np.array([0, 1, 1, 2])}
    assert Rank(LabelFacts(loss="hinge")).weight(alone) == 1, "a relevant document alone is in no pair"
    assert Rank(LabelFacts(loss="listwise")).weight(alone) == 3
    assert Rank().items(targets) == 2, "a teacher is matched group by group"


@pytest.mark.parametrize("loss", LOSSES)
def test_documents_that_hold_the_key_of_the_query_are_learned_with_every_loss(loss: str) -> None:
    random, keys, queries = np.random.default_rng(0), 12, 60
    asked = np.repeat(random.integers(keys, size=queries), 8)
    held = np.where(np.arange(len(asked)) % 8 < 1, asked, (asked + random.integers(1, keys, len(asked))) % keys)
    values = np.stack([held == asked, np.ones(len(asked)), np.zeros(len(asked)), np.arange(len(asked)) // 8], axis=1)
    train = replace(split_of([[1, 2]] * len(asked), name="test"), labels=Labels(values.astype(np.float32)))
    positive = values[:, 0] > 0
    train.units = Units(np.arange(0, len(asked) + 1, 8), positive, ~positive, 4)
    target, task = Relevance(DataSettings()), Rank(LabelFacts(loss=loss))
    torch.manual_seed(0)
    key, document, bias = torch.nn.Embedding(keys, 8), torch.nn.Embedding(keys, 8), torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([*key.parameters(), *document.parameters(), bias], lr=0.05)

    def outputs(rows: np.ndarray) -> torch.Tensor:
        pair = key(torch.from_numpy(asked[rows])) * document(torch.from_numpy(held[rows]))
        return pair.sum(1, keepdim=True) + bias

    for epoch in range(12):
        for rows in unit_batches(train.lengths, train.units, seed=0, epoch=epoch, batch_size=40):
            targets = {name: torch.from_numpy(array) for name, array in target.collate(train, rows, {}, epoch).items()}
            optimizer.zero_grad()
            task.loss(outputs(rows), targets).backward()
            optimizer.step()
    with torch.no_grad():
        kept = outputs(np.arange(len(asked))).numpy()
    assert task.score("ndcg@10").value(task.answers(kept, train)) > 0.95
    assert task.score("ndcg@10").value(task.answers(random.random((len(asked), 1)), train)) < 0.7


def test_the_score_of_a_pair_does_not_depend_on_its_neighbours() -> None:
    torch.manual_seed(0)
    network, _ = build(
        resolve(compose(["task=rank", "model=bert-tiny", "model.hidden=16", "model.heads=2"])).model, Rank().head(),
        vocab_size=50, pad_id=0,
    )  # fmt: skip
    network.eval()
    random = np.random.default_rng(0)
    pairs = split_of([random.integers(1, 50, size) for size in (5, 9, 14, 7)], starts=[2, 3, 4, 3])
    with torch.no_grad():
        together = network(**to_tensors(collate(pairs, np.arange(4)), torch.device("cpu")))
        alone = [network(**to_tensors(collate(pairs, np.array([row])), torch.device("cpu"))) for row in range(4)]
    assert together.shape == (4, 1) and torch.allclose(together, torch.cat(alone), atol=1e-5)


def test_a_reader_is_told_how_passages_make_a_score() -> None:
    assert [Rank(LabelFacts(passages=way)).reader_facts() for way in ("max", "first")] == [
        {"passages": "max"}, {"passages": "first"},
    ]  # fmt: skip
