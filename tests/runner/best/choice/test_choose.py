"""The choice among finished candidates: golden differences, ties, caps, at_least, and the cut within a kind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from runner.best.choice.choose import Choice, NoChoice, choose, lower_ends, survivors
from runner.best.choice.draws import Draws
from runner.best.types import Budget, Scored
from runner.statistics.answers import Answers
from runner.statistics.confusion import CLASS_SCORES
from runner.statistics.correlation import NUMBER_SCORES
from runner.statistics.intervals import resample_rows
from runner.statistics.rank_scores import RANK_SCORES
from tests.runner.best.candidates import ACCURACY, BEST, B, C, D, against_best, answers, scored

CAP, SMALL, NONE = Budget(max_kb=1000), Budget(max_kb=1000, prefer="small"), Budget()


def winner(candidates: Sequence[Scored], budget: Budget) -> str:
    found = choose(candidates, ACCURACY, budget)
    assert isinstance(found, Choice), found
    return found.winner


def test_a_cap_gets_the_highest_score_and_prefer_small_the_smaller_of_a_wider_tie() -> None:
    everything = [B, C, D, BEST]
    assert winner(everything, CAP) == "best"
    assert winner(everything, SMALL) == winner(everything, NONE) == "D"
    small = choose(everything, ACCURACY, SMALL)
    assert isinstance(small, Choice) and small.tie_with == "best" and "0.0040 worse" in small.reasons[0]
    practical = scored("E", against_best(3, 2), 500)
    assert winner([*everything, practical], CAP) == "E"
    assert winner([*everything, scored("E", against_best(3, 2), 950)], CAP) == "best", "it is not smaller"
    assert winner([*everything, scored("F", against_best(1, 0), 500)], CAP) == "best", "beyond the error"
    assert winner([BEST, scored("as large", against_best(3, 2), 900)], CAP) == "best", "it is not smaller"
    assert winner([BEST, scored("2 rows fewer", against_best(4, 2), 500)], CAP) == "2 rows fewer"


def test_a_cap_of_time_alone_is_a_cap_too() -> None:
    fast, best = scored("fast", against_best(52, 48), 900, micros=9.0), scored("best", against_best(0, 0), micros=90.0)
    assert winner([fast, best], Budget(max_us=100)) == "best"
    assert winner([fast, best], Budget(max_us=100, prefer="small")) == "fast"


def test_what_does_not_fit_cannot_win() -> None:
    assert winner([C, D, BEST], Budget(max_kb=899)) == "D"
    slow = scored("slow", against_best(0, 0), 10, micros=500.0)
    assert winner([slow, scored("fast", against_best(40, 0), 800, micros=50.0)], Budget(max_us=100)) == "fast"
    nothing = choose([BEST, C], ACCURACY, Budget(max_kb=50))
    assert isinstance(nothing, NoChoice) and "max_kb=50" in nothing.message and "C: 300,000 bytes" in nothing.message


def test_equal_scores_go_by_bytes_then_time_then_the_plan() -> None:
    same = against_best(0, 0)
    ties = [
        scored("late", same, 10, micros=5.0, position=9), scored("early", same, 10, micros=5.0, position=1),
        scored("slow", same, 10, micros=6.0), scored("large", same, 11, micros=1.0),
    ]  # fmt: skip
    assert [winner(ties[start:], CAP) for start in range(4)] == ["early", "early", "slow", "large"]
    assert winner(ties, Budget(max_us=100)) == "large", "with a cap of time alone, the fastest is the cheapest"


def test_at_least_needs_the_lower_end_not_the_point() -> None:
    def of(share: float, kb: float) -> Scored:
        return scored(f"{share}", answers(np.arange(2000) < round(2000 * share)), kb)

    found = choose([of(0.853, 10), of(0.855, 20), of(0.9, 30)], ACCURACY, Budget(at_least=0.84))
    assert isinstance(found, Choice) and found.winner == "0.855" and "0.8416" in found.reasons[0]
    assert found.reasons[0].startswith("the smallest that reaches")
    by_time = choose([of(0.9, 30)], ACCURACY, Budget(at_least=0.84, max_us=9e9))
    assert isinstance(by_time, Choice) and by_time.reasons[0].startswith("the fastest that reaches")
    missed = choose([of(0.853, 10), of(0.6, 5)], ACCURACY, Budget(at_least=0.84))
    assert isinstance(missed, NoChoice)
    assert "best 0.8530 (0.853), lower end 0.8395. Try: at_least=0.839" in missed.message
    again = choose([of(0.853, 10), of(0.6, 5)], ACCURACY, Budget(at_least=0.839))
    assert isinstance(again, Choice) and again.winner == "0.853"


def test_the_lower_end_of_other_scores_is_that_of_each_candidate_by_its_own_bootstrap() -> None:
    f1, labels = CLASS_SCORES["f1_macro"], np.arange(300) % 2

    def of(wrong: int, kb: float) -> Scored:
        predictions = np.where(np.arange(300) < wrong, 1 - labels, labels)
        return scored(f"{wrong}", Answers({"label": labels, "prediction": predictions}), kb, score=f1)

    both = [of(3, 20), of(120, 10)]
    ends = lower_ends(Draws(both, f1), np.array([[one.score for one in both]]))[0]
    for one, end in zip(both, ends):
        spread = np.std(resample_rows(300, f1.over(one.answers[0])), ddof=1)
        assert end == pytest.approx(one.score - 1.644854 * spread, abs=1e-6)
    found = choose(both, f1, Budget(at_least=0.95))
    assert isinstance(found, Choice) and found.winner == "3"


def test_the_model_that_a_lower_goal_is_said_to_give_is_the_one_it_gives() -> None:
    def of(right: int, kb: float) -> Scored:
        return scored(f"{right}", answers(np.arange(20_000) < right), kb)

    both = [of(17_108, 10), of(17_110, 20)]  # whose lower ends are 0.8513 and 0.8514
    missed = choose(both, ACCURACY, Budget(at_least=0.9))
    assert isinstance(missed, NoChoice) and "Try: at_least=0.851, which gives 17108" in missed.message
    found = choose(both, ACCURACY, Budget(at_least=0.851))
    assert isinstance(found, Choice) and found.winner == "17108"


def test_an_error_is_better_when_it_is_low() -> None:
    labels = np.arange(40) % 3
    mse = NUMBER_SCORES["mse"]
    near, far = (scored(name, Answers({"label": labels * 1.0, "prediction": labels + error}), kb, score=mse)
                 for name, error, kb in (("near", 0.1, 900), ("far", 1.0, 10)))  # fmt: skip
    found = choose([near, far], mse, CAP)
    assert isinstance(found, Choice) and found.winner == "near" and found.reasons[0].startswith("the lowest mse of 2")


def test_the_better_half_of_a_kind_goes_on() -> None:
    scores = {"a": 0.5, "b": 0.9, "c": 0.7, "d": 0.9, "e": float("nan")}
    assert survivors(scores) == ["b", "c", "d"]
    assert survivors(scores, "lower") == ["a", "b", "c"]
    assert survivors({"a": 0.1, "b": 0.2}) == ["a", "b"], "two at least"
    assert survivors({"a": 0.1, "b": 0.2, "c": 0.3}) == ["b", "c"] and survivors({"a": 0.1}) == ["a"]
    assert survivors({"first": 0.5, "second": 0.5, "third": 0.5}) == ["first", "second"]


def test_a_ranking_reaches_its_goal_on_queries() -> None:
    columns = {
        "label": [1, 0, 1, 0],
        "prediction": [0.9, 0.1, 0.2, 0.3],
        "relevant": [1, 0, 1, 0],
        "retrieved": [1] * 4,
    }
    found = Answers({name: np.array(values) for name, values in columns.items()}, np.array([0, 2, 4]))
    mrr = RANK_SCORES["mrr"]
    missed = choose([scored("one", found, score=mrr)], mrr, Budget(at_least=0.99))
    assert isinstance(missed, NoChoice) and "with confidence on 2 queries" in missed.message
