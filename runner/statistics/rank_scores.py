"""Scores of ranked documents, by the rules of trec_eval; the bootstrap resamples queries, never single documents.

A unit is a query. Its items are the candidates, and the relevant documents that are not candidates, ordered by document
id, descending as a string: among equal scores the larger id comes first, whatever the order of the candidates was.
Columns: `label` (the gain of a document, 0 if it has no judgement), `prediction` (its score), `relevant` and
`retrieved` (is it a candidate?).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from runner.statistics.answers import Answers
from runner.statistics.scores import SumScore

COLUMNS = ("label", "prediction", "relevant", "retrieved")
QUERIES = "queries"
TRUTH = ("label", "relevant", "retrieved")  # columns that are the same for every model


@dataclass(frozen=True)
class Ranking:
    """The items of all queries, best first; documents that are not candidates come last in their query."""

    units: np.ndarray  # (items,) the query of each
    places: np.ndarray  # (items,) 1 for the best of a query
    gains: np.ndarray  # (items,) float64, non-negative
    relevant: np.ndarray  # (items,) bool
    retrieved: np.ndarray  # (items,) bool
    scores: np.ndarray  # (items,)
    queries: int

    def sums(self, of_items: np.ndarray) -> np.ndarray:
        """Sum numbers of items (items,) over each query, (queries,) float64."""
        return np.bincount(self.units, weights=of_items, minlength=self.queries)


@lru_cache(maxsize=8)  # by identity: each score of an evaluation asks for the same ranking
def ranking_of(answers: _Held) -> Ranking:
    """Return the items of answers in the order of their scores."""
    found = answers.answers
    offsets = np.arange(found.items + 1) if found.offsets is None else np.asarray(found.offsets)
    counts = np.diff(offsets)
    units = np.repeat(np.arange(len(counts)), counts)
    retrieved, scores = np.asarray(found["retrieved"], bool), np.asarray(found["prediction"], np.float64)
    if np.isnan(scores[retrieved]).any():
        raise ValueError("a score is NaN, and cannot be ranked")
    order = np.lexsort((np.where(retrieved, -scores, 0.0), ~retrieved, units))  # stable: equal scores keep their order
    places = np.arange(len(units)) - np.repeat(offsets[:-1], counts) + 1
    gains = np.maximum(np.asarray(found["label"], np.float64), 0.0)
    return Ranking(
        units, places, gains[order], np.asarray(found["relevant"], bool)[order], retrieved[order], scores[order],
        len(counts),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Held:
    """Answers as a key of a cache: two are equal if they are the same object."""

    answers: Answers

    def __hash__(self) -> int:
        return id(self.answers)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and self.answers is other.answers


@dataclass(frozen=True)
class RankScore(SumScore):
    """A mean over the queries with a relevant document; `complete`: over all queries, 0 for those without (-c)."""

    units: ClassVar[str] = QUERIES
    name: str
    cut: int | None = None  # the number of top documents that count; None: all
    complete: bool = False

    @abstractmethod
    def of_queries(self, ranking: Ranking) -> np.ndarray:
        """Return the score of each query, (queries,); 0 without a relevant document."""

    def by_query(self, answers: Answers) -> np.ndarray:
        """Return the score of each query, (queries,)."""
        return self.of_queries(ranking_of(_Held(answers)))

    def parts(self, answers: Answers) -> np.ndarray:
        """Return the score of each query that counts, and whether it does."""
        ranking = ranking_of(_Held(answers))
        counts = np.ones(ranking.queries) if self.complete else (ranking.sums(ranking.relevant) > 0).astype(np.float64)
        return np.stack([self.of_queries(ranking) * counts, counts], axis=1)

    def of_sums(self, sums: np.ndarray) -> np.ndarray:
        """Return the means (R,) of sums (R, 2)."""
        return np.asarray(sums[:, 0] / np.maximum(sums[:, 1], 1.0))

    def within(self, ranking: Ranking) -> np.ndarray:
        """Return which items are retrieved within the cut, (items,) bool."""
        return ranking.retrieved if self.cut is None else ranking.retrieved & (ranking.places <= self.cut)


class ReciprocalRank(RankScore):
    """1 / place of the first relevant document within the cut, else 0."""

    def of_queries(self, ranking: Ranking) -> np.ndarray:
        """Return the reciprocal rank of each query."""
        found = np.zeros(ranking.queries)
        hits = np.flatnonzero(self.within(ranking) & ranking.relevant)
        np.maximum.at(found, ranking.units[hits], 1.0 / ranking.places[hits])
        return found


@dataclass(frozen=True)
class Ndcg(RankScore):
    """Discounted gain, divided by that of the ideal order of all judged documents; gain: the label, or 2^label - 1."""

    exponential: bool = False

    def of_queries(self, ranking: Ranking) -> np.ndarray:
        """Return the normalised discounted gain of each query."""
        gains = np.exp2(ranking.gains) - 1 if self.exponential else ranking.gains
        discounts = 1.0 / np.log2(ranking.places + 1)
        found = ranking.sums(np.where(self.within(ranking), gains * discounts, 0.0))
        best = gains[np.lexsort((-gains, ranking.units))]
        counted = True if self.cut is None else ranking.places <= self.cut
        ideal = ranking.sums(np.where(counted, best * discounts, 0.0))
        return np.divide(found, ideal, out=np.zeros_like(found), where=ideal > 0)


class AveragePrecision(RankScore):
    """Mean over the relevant documents, retrieved or not, of the precision at their place."""

    def of_queries(self, ranking: Ranking) -> np.ndarray:
        """Return the average precision of each query."""
        hits = self.within(ranking) & ranking.relevant
        before = np.cumsum(hits)
        starts = np.searchsorted(ranking.units, np.arange(ranking.queries))
        earlier = np.concatenate([[0], before])[starts][ranking.units]  # hits of the previous queries
        precision = np.where(hits, (before - earlier) / ranking.places, 0.0)
        return ranking.sums(precision) / np.maximum(ranking.sums(ranking.relevant), 1)


class Precision(RankScore):
    """Share of the first `cut` documents that are relevant; missing documents in a short list count as irrelevant."""

    def of_queries(self, ranking: Ranking) -> np.ndarray:
        """Return the precision of each query."""
        assert self.cut, "precision is of a number of documents"
        return ranking.sums(self.within(ranking) & ranking.relevant) / self.cut


class Recall(RankScore):
    """Share of the relevant documents within the cut; without a cut, among the candidates, which is an upper bound."""

    def of_queries(self, ranking: Ranking) -> np.ndarray:
        """Return the recall of each query."""
        return ranking.sums(self.within(ranking) & ranking.relevant) / np.maximum(ranking.sums(ranking.relevant), 1)


@dataclass(frozen=True)
class Ties(SumScore):
    """Share of neighbouring candidates with equal scores; a high share points to saturated scores."""

    units: ClassVar[str] = QUERIES
    name: str = "ties"

    def parts(self, answers: Answers) -> np.ndarray:
        """Return the number of equal neighbours and of all neighbours in each query, (N, 2)."""
        ranking = ranking_of(_Held(answers))
        pairs = ranking.retrieved[1:] & ranking.retrieved[:-1] & (ranking.units[1:] == ranking.units[:-1])
        equal = pairs & (ranking.scores[1:] == ranking.scores[:-1])
        found = [np.bincount(ranking.units[1:], weights=of, minlength=ranking.queries) for of in (equal, pairs)]
        return np.stack(found, axis=1)

    def of_sums(self, sums: np.ndarray) -> np.ndarray:
        """Return the shares (R,) of sums (R, 2)."""
        return np.asarray(sums[:, 0] / np.maximum(sums[:, 1], 1.0))


RANK_SCORES: dict[str, SumScore] = {
    score.name: score
    for score in (
        ReciprocalRank("mrr@10", 10),
        Ndcg("ndcg@10", 10),
        AveragePrecision("map"),
        AveragePrecision("map@100", 100),
        Ndcg("ndcg@5", 5),
        Ndcg("ndcg_exp@10", 10, exponential=True),
        ReciprocalRank("mrr"),
        Precision("precision@5", 5),
        Recall("recall@5", 5),
        Recall("candidate_recall"),
        Ties(),
    )
}
