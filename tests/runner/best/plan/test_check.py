from __future__ import annotations

from dataclasses import replace

import pytest

from runner.best.plan.check import check_budget, check_facts, check_reach, goal_of
from runner.best.plan.steps import order_steps
from runner.best.types import Budget, Candidate, Facts, LeftOut, Plan
from runner.errors import ConfigError
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from tests.runner.best.conftest import settings_of

FACTS = Facts(rows=100, classes=2, smallest_class=3, majority=0.97)
TASK = Classification(LabelFacts(names=("a", "b")))


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (Budget(minutes=10, steps=3), "minutes and steps both end the search. Try: steps=12"),
        (Budget(max_kb=0), "max_kb=0: must be above 0"),
        (Budget(max_us=-1), "max_us=-1: must be above 0"),
        (Budget(prefer="large"), "prefer=large: expected cap or small"),
        (Budget(goal="test/accuracy"), "Try: goal=accuracy"),
    ],
)
def test_a_budget_that_contradicts_itself_is_refused(budget: Budget, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_budget(budget, settings_of("data=demo"))


def test_reported_rows_never_choose() -> None:
    with pytest.raises(ConfigError, match="test is a reported split, and no choice may be made on reported rows"):
        check_budget(Budget(), settings_of("data=imdb", "data.select_split=test"))


def test_the_folds_of_a_search_calibrate_by_themselves() -> None:
    words = ("data=demo", "data.folds=3", "data.fold=all", "data.calibration=folds")
    with pytest.raises(ConfigError, match=r"data.calibration=folds: .*calibrates its winner on them. Leave it out"):
        check_budget(Budget(), settings_of(*words))


def test_a_goal_is_a_score_of_the_task() -> None:
    assert goal_of(Budget(), TASK) == "accuracy" and goal_of(Budget(goal="macro_f1"), TASK) == "f1_macro"
    with pytest.raises(ConfigError, match=r"goal=spearman is not a score of classification \(accuracy, "):
        goal_of(Budget(goal="spearman"), TASK)


def test_a_goal_that_the_most_frequent_label_reaches_is_refused_and_lopsided_labels_noted() -> None:
    with pytest.raises(ConfigError, match=r"label has accuracy 0\.970\. Try: at_least=0\.98"):
        check_facts(FACTS, Budget(goal="accuracy", at_least=0.9))
    nearly_all = replace(FACTS, majority=0.995)
    with pytest.raises(ConfigError, match=r"label has accuracy 0\.995\. Try: goal=f1_macro"):
        check_facts(nearly_all, Budget(goal="accuracy", at_least=0.99))
    noted = check_facts(FACTS, Budget(goal="accuracy"))
    assert noted.notes == ("97.0% of the rows have one label, so accuracy says little. Try: goal=f1_macro",)
    assert check_facts(FACTS, Budget(goal="f1_macro")).notes == ()


def test_only_scores_that_are_shares_are_at_most_one() -> None:
    with pytest.raises(ConfigError, match=r"at_least=93: accuracy is at most 1\. Try: at_least=0\.93"):
        check_facts(FACTS, Budget(goal="accuracy", at_least=93))
    numbers = Facts(rows=100)
    assert check_facts(numbers, Budget(goal="mse", at_least=4)) == numbers


def plan_of(budget: Budget, *candidates: Candidate) -> Plan:
    return Plan("0123456789", budget, FACTS, candidates, (LeftOut("other", "other", "weights unavailable: x"),))


def test_a_cap_that_nothing_meets_names_the_nearest() -> None:
    beyond = [Candidate("big", "big", bytes=90_000, micros=900), Candidate("ngram", "ngram", bytes=1_400, micros=40)]
    with pytest.raises(ConfigError, match=r"max_kb=1: nothing fits\. The smallest that could is ngram at 1\.4 KB\."):
        check_reach(plan_of(Budget(max_kb=1)), beyond)
    with pytest.raises(
        ConfigError, match=r"This machine is too slow: ngram, the fastest, takes 40 us\. Try: max_us=50"
    ):
        check_reach(plan_of(Budget(max_us=10)), beyond)
    with pytest.raises(ConfigError, match=r"nothing fits\. other: weights unavailable: x"):
        check_reach(plan_of(Budget()), [])
    check_reach(plan_of(Budget(max_kb=1), Candidate("ngram", "ngram")), beyond)
    with pytest.raises(ConfigError, match=r"nothing fits\. This machine is too slow: ngram"):  # and not too few bytes
        check_reach(plan_of(Budget(max_kb=50, max_us=10)), beyond)


def test_too_few_minutes_are_refused_with_how_many_are_needed() -> None:
    slow = Candidate("ngram", "ngram", seconds=90)
    with pytest.raises(ConfigError, match=r"minutes=1 is not enough for .*, ngram, .* Try: minutes=1\.5"):
        check_reach(plan_of(Budget(minutes=1), slow), [])
    check_reach(plan_of(Budget(minutes=2), slow), [])


def test_too_few_steps_are_refused_with_how_many_are_needed() -> None:
    one, other = (Candidate(name, name, seconds=10) for name in ("ngram", "dsn"))
    folded = replace(plan_of(Budget(steps=4), one, other), folds=5, repeats=3, steps=order_steps([one, other], 5, 3))
    with pytest.raises(ConfigError, match=r"ngram, the first one, .* step 5 \(5 folds\)\. Try: steps=5"):
        check_reach(folded, [])
    check_reach(replace(folded, budget=Budget(steps=5)), [])
    check_reach(replace(folded, folds=0, steps=order_steps([one, other], 0, 1), budget=Budget(steps=1)), [])


def test_minutes_are_compared_with_all_that_the_cheapest_candidate_takes() -> None:
    cheap = Candidate("ngram", "ngram", seconds=10)
    folded = replace(plan_of(Budget(minutes=0.5), cheap), folds=5, steps=order_steps([cheap], 5, 1))
    with pytest.raises(ConfigError, match=r"about 50 s on 5 folds and then on all rows\. Try: minutes=0\.9"):
        check_reach(folded, [])
    check_reach(replace(folded, budget=Budget(minutes=0.5, jobs=2)), [])
    large = Candidate("large", "large", seconds=100, fits=False)
    for one in ({"trained_by": "large"}, {"teacher": "large"}):
        with pytest.raises(ConfigError, match=r"small, which takes about 110 s\. Try: minutes=1\.9"):
            check_reach(plan_of(Budget(minutes=1), large, replace(cheap, name="small", **one)), [])
