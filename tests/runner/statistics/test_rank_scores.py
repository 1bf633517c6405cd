"""Scores of ranked documents against trec_eval, the script of MS MARCO, and sums by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from runner.statistics.answers import Answers
from runner.statistics.rank_scores import (
    RANK_SCORES,
    AveragePrecision,
    Ndcg,
    Precision,
    RankScore,
    Recall,
    ReciprocalRank,
)

Judged = Mapping[str, Mapping[str, float]]
QRELS = {
    "q1": {"a": 2, "b": 0, "c": 1, "d": 3, "e": -1}, "q2": {"x": 1}, "q3": {"y": 1}, "q4": {"z": 0},
}  # fmt: skip
RUN = {
    "q1": {"b": 9, "a": 8, "u": 7, "e": 6, "c": 5}, "q2": {"p": 5, "x": 5, "w": 5}, "q4": {"z": 1}, "q9": {"z": 1},
}  # fmt: skip


def answers(qrels: Judged, run: Judged, relevant_from: float = 1) -> Answers:
    """The answers of a run to judged queries, as the task makes them."""
    columns: dict[str, list[float]] = {"label": [], "prediction": [], "relevant": [], "retrieved": []}
    offsets = [0]
    for query, judged in qrels.items():
        found = run.get(query, {})
        documents = {*found, *(name for name, label in judged.items() if label >= 1)}
        for name in sorted(documents, reverse=True):
            label = judged.get(name, 0)
            values = (label, found.get(name, 0), label >= relevant_from, name in found)
            for column, value in zip(columns.values(), values):
                column.append(value)
        offsets.append(len(columns["label"]))
    return Answers({name: np.array(column) for name, column in columns.items()}, np.array(offsets))


GOLDEN = [
    (AveragePrecision("map"), (0.3, 1.0, 0, 0), 0.325),
    (ReciprocalRank("mrr"), (0.5, 1.0, 0, 0), 0.375),
    (Precision("p", 5), (0.4, 0.2, 0, 0), 0.15),
    (Recall("r", 5), (2 / 3, 1.0, 0, 0), 5 / 12),
    (Ndcg("n", 3), (0.2650, 1.0, 0, 0), 0.31625),
    (Ndcg("n", 5), (0.346233, 1.0, 0, 0), 0.336558),
    (Ndcg("n", 10), (0.346233, 1.0, 0, 0), 0.336558),
    (Ndcg("n", 10, exponential=True), (0.242701, 1.0, 0, 0), 0.310675),
]


@pytest.mark.parametrize(("score", "by_query", "complete"), GOLDEN)
def test_scores_of_queries_are_those_of_trec_eval(score, by_query, complete) -> None:  # type: ignore[no-untyped-def]
    found = answers(QRELS, RUN)
    assert score.by_query(found) == pytest.approx(by_query, abs=5e-5)
    assert type(score)(score.name, score.cut, True, *([score.exponential] if isinstance(score, Ndcg) else [])).value(
        found
    ) == pytest.approx(complete, abs=5e-5)
    assert score.value(found) == pytest.approx(sum(by_query) / 3, abs=5e-5)  # q4 has no relevant document


def test_the_ideal_order_is_cut_where_the_ranking_is() -> None:
    labels = {"a": 3, "b": 2, "c": 2, "d": 1}
    found = answers({"q": labels}, {"q": {"a": 4.0, "c": 3.0, "d": 2.0, "b": 1.0}})
    assert Ndcg("n", 2).value(found) == pytest.approx(1.0)
    assert Ndcg("n", 3).value(found) == pytest.approx((3 + 2 / np.log2(3) + 1 / 2) / (3 + 2 / np.log2(3) + 2 / 2))


def test_the_name_of_a_score_says_its_cut_and_its_gain() -> None:
    for name, score in RANK_SCORES.items():
        cut = getattr(score, "cut", None)
        assert cut == (int(name.partition("@")[2]) if "@" in name else None)
    found = answers({"q": {"a": 1, "b": 3}}, {"q": {"a": 2.0, "b": 1.0}})
    linear, exponential = ((low + high / np.log2(3)) / (high + low / np.log2(3)) for low, high in ((1, 3), (1, 7)))
    assert RANK_SCORES["ndcg@10"].value(found) == pytest.approx(linear)
    assert RANK_SCORES["ndcg_exp@10"].value(found) == pytest.approx(exponential)


def test_ties_are_the_share_of_neighbours_of_one_query_with_equal_scores() -> None:
    qrels = {"q1": {"a": 1}, "q2": {"x": 1}, "q3": {"m": 1}}
    run = {"q1": {"a": 2.0, "b": 2.0, "c": 1.0}, "q2": {"x": 1.0, "y": 1.0, "z": 1.0, "u": 0.0}, "q3": {"m": 0.0}}
    assert RANK_SCORES["ties"].value(answers(qrels, run)) == pytest.approx(3 / 5)
    assert RANK_SCORES["ties"].value(answers(qrels, {"q1": {"a": 2.0}})) == 0.0


def test_documents_that_are_no_candidates_are_no_neighbours_and_tie_with_none() -> None:
    found = answers({"q": {"m": 1, "a": 1}}, {"q": {"a": 1.0, "b": 0.0}})
    assert found["prediction"].tolist().count(0.0) == 2, "that of m stands for no score"
    assert RANK_SCORES["ties"].value(found) == 0.0
    assert RANK_SCORES["ties"].value(answers({"q": {"m": 1, "n": 1}}, {"q": {"a": 1.0}})) == 0.0


def test_a_gain_without_a_cut_is_that_of_a_cut_below_all_documents() -> None:
    found = answers(QRELS, RUN)
    assert Ndcg("n").by_query(found).tolist() == Ndcg("n", 99).by_query(found).tolist()
    assert Ndcg("n").by_query(found)[0] == pytest.approx(0.346233, abs=1e-6)


@pytest.mark.parametrize("name", RANK_SCORES)
def test_a_last_query_without_any_document_counts_among_all_queries(name: str) -> None:
    found = answers({"q1": {"a": 1}, "q2": {}}, {"q1": {"a": 1.0, "b": 1.0}})
    only = answers({"q1": {"a": 1}}, {"q1": {"a": 1.0, "b": 1.0}})
    score = RANK_SCORES[name]
    assert len(found) == 2 and score.parts(found)[1].tolist() == [0.0, 0.0]
    assert score.value(found) == score.value(only)
    if isinstance(score, RankScore):
        assert replace(score, complete=True).value(found) == score.value(only) / 2


def test_only_labels_from_a_level_on_are_relevant() -> None:
    found = answers(QRELS, RUN, relevant_from=2)
    assert AveragePrecision("map").by_query(found).tolist() == [0.25, 0, 0, 0]
    assert ReciprocalRank("mrr").by_query(found).tolist() == [0.5, 0, 0, 0]
    assert Ndcg("n", 10).by_query(found)[0] == pytest.approx(0.346233, abs=1e-6)  # gains are those of all labels


def test_queries_without_an_answer_count_as_in_the_script_of_ms_marco() -> None:
    qrels = {"1": {"10": 1}, "2": {"20": 1, "21": 1}, "3": {"30": 1}}
    others = {str(100 + i): 50.0 - i for i in range(10)}
    run = {"1": {"99": 2.0, "10": 1.0}, "2": {**others, "20": 1.0}}
    assert RANK_SCORES["mrr@10"].value(answers(qrels, run)) == pytest.approx(1 / 6)
    assert RANK_SCORES["mrr"].value(answers(qrels, run)) == pytest.approx((1 / 2 + 1 / 11) / 3)


def test_the_order_of_the_candidates_never_decides() -> None:
    random, documents = np.random.default_rng(0), [f"d{i}" for i in range(30)]
    qrels = {f"q{i}": {name: float(random.integers(0, 4)) for name in documents[:12]} for i in range(5)}
    run = {query: {name: float(random.integers(0, 3)) for name in documents} for query in qrels}
    first = answers(qrels, run)
    for _ in range(5):
        mixed = {query: {name: found[name] for name in random.permutation(documents)} for query, found in run.items()}
        again = answers(qrels, mixed)
        assert {name: score.value(again) for name, score in RANK_SCORES.items()} == {
            name: score.value(first) for name, score in RANK_SCORES.items()
        }
    assert RANK_SCORES["ties"].value(first) > 0.5


def test_perfect_scores_reach_the_ceiling_of_the_candidates() -> None:
    qrels = {"full": {"a": 3, "b": 1, "c": 0}, "lacking": {"a": 2, "b": 2}, "none": {"a": 1}}
    run = {"full": {"a": 3.0, "b": 1.0, "c": 0.0}, "lacking": {"a": 2.0, "z": 0.0}}
    found = answers(qrels, run)
    assert Ndcg("n", 10).by_query(found)[0] == 1.0 and 0 < Ndcg("n", 10).by_query(found)[1] < 1
    assert AveragePrecision("map").by_query(found).tolist() == Recall("r").by_query(found).tolist() == [1, 0.5, 0]
    assert RANK_SCORES["candidate_recall"].value(found) == pytest.approx(0.5)


def test_a_score_that_is_not_a_number_is_never_sorted() -> None:
    found = answers({"q": {"a": 1}}, {"q": {"a": float("nan"), "b": 1.0}})
    with pytest.raises(ValueError, match="NaN"):
        RANK_SCORES["map"].value(found)


def test_intervals_and_tests_draw_queries() -> None:
    random = np.random.default_rng(1)
    qrels = {f"q{i}": {"a": 1.0} for i in range(40)}
    good, bad = ({q: {"a": m + random.normal(), "b": 0.0, "c": 0.1} for q in qrels} for m in (2.0, -1.0))
    first, second = answers(qrels, good), answers(qrels, bad)
    low, high = RANK_SCORES["mrr"].interval(first)
    assert low < RANK_SCORES["mrr"].value(first) < high and len(first) == 40
    name, p, interval = RANK_SCORES["mrr"].compare([(first, second)])
    assert name == "paired bootstrap" and p < 0.05 and interval.low > 0


def test_intervals_say_that_they_are_over_queries() -> None:
    found, score = answers(QRELS, RUN), RANK_SCORES["map"]
    assert score.count(found) == "4 queries" and RANK_SCORES["ties"].count(found) == "4 queries"
    assert score.compare([(found, found)])[2].over == "bootstrap over 4 queries"
