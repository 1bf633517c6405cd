"""Scores of answers that are parts of a text: values, thresholds, intervals and comparisons."""

from __future__ import annotations

import numpy as np
import pytest

from runner.statistics.answers import Answers
from runner.statistics.intervals import wilson_interval
from runner.statistics.paired import Interval
from runner.statistics.scores import Score
from runner.statistics.span_scores import SPAN_SCORES, best_threshold, graded, is_close, scores_of

TEXTS = ["Paris", "Rome", "x", ""]
GOLDS = [["Paris"], ["Milan"], [], []]
MARGINS = np.array([0.1, 0.4, 0.6, 0.9])


def answers(threshold: float | None) -> Answers:
    return Answers(graded(TEXTS, MARGINS, GOLDS, ["one", "two", "two", "three"], threshold))


@pytest.mark.parametrize(("threshold", "exact"), [(1.0, 0.5), (0.5, 0.75), (0.05, 0.5), (0.1, 0.75)])
def test_a_margin_above_the_threshold_leaves_a_question_unanswered(threshold: float, exact: float) -> None:
    assert SPAN_SCORES["exact_match"].value(answers(threshold)) == exact


@pytest.mark.parametrize("threshold", [1.0, 0.05])
def test_the_best_threshold_depends_on_margins_alone(threshold: float) -> None:
    found = answers(threshold)
    assert SPAN_SCORES["exact_match_best_threshold"].value(found) == 0.75
    assert best_threshold(found, "text_exact") == 0.1


def test_questions_with_equal_margins_are_answered_together() -> None:
    columns = graded(["a b", "x"], np.array([0.3, 0.3]), [["a b"], []], ["one", "two"], 0.0)
    assert SPAN_SCORES["answer_f1_best_threshold"].value(Answers(columns)) == 0.5


def test_where_no_text_helps_the_best_threshold_answers_none() -> None:
    found = Answers(graded(["x", "y"], np.array([-3.0, 2.0]), [[], ["z"]], ["one", "two"], 0.0))
    assert SPAN_SCORES["answer_f1_best_threshold"].value(found) == 0.5
    assert best_threshold(found) < -3.0


def test_questions_with_and_without_an_answer_have_scores_of_their_own() -> None:
    found = answers(0.5)
    values = {name: SPAN_SCORES[name].value(found) for name in scores_of(v2=True)}
    assert values["exact_match_has_answer"] == 0.5 and values["exact_match_no_answer"] == 1.0
    assert set(scores_of(v2=True)) - set(scores_of(v2=False)) == {
        name for name in SPAN_SCORES if "_has_" in name or "_no_" in name or "_best_" in name
    }


def test_quarters_of_f1_add_up_to_one() -> None:
    texts = ["a1", "a1 b c d e f g", "a1 b c", "a1"]
    found = Answers(graded(texts, np.zeros(4), [["a1"], ["a1"], ["a1"], ["z"]], list("wxyz"), None))
    quarters = [SPAN_SCORES[f"answer_f1_quarter_{number}"].value(found) for number in (1, 2, 3, 4)]
    assert found["f1"].tolist() == [1.0, 0.25, 0.5, 0.0]
    assert quarters == [0.25, 0.25, 0.25, 0.25]
    third = Answers(graded(["a1 b c d"], np.zeros(1), [["a1"]], ["w"], None))
    assert third["f1"].tolist() == [0.4] and SPAN_SCORES["answer_f1_quarter_2"].value(third) == 1.0


def test_the_grades_of_texts_stay_beside_those_of_final_answers() -> None:
    found = graded(["x y", "x"], np.array([0.1, 0.9]), [["x"], ["x"]], ["one", "two"], 0.5)
    assert (found["text_exact"].tolist(), found["exact"].tolist()) == ([0.0, 1.0], [0.0, 0.0])
    assert found["text_f1"] == pytest.approx([2 / 3, 1.0]) and found["f1"] == pytest.approx([2 / 3, 0.0])


def test_a_draw_without_questions_of_a_kind_scores_0() -> None:
    of_answered = SPAN_SCORES["exact_match_has_answer"].over(answers(1.0))
    assert of_answered(np.array([[0.0, 0.0, 2.0, 2.0], [2.0, 0.0, 1.0, 1.0]])).tolist() == [0.0, 1.0]


def test_questions_of_one_text_share_its_number_in_every_model() -> None:
    first, second = answers(None)["context"], graded(["?"], np.zeros(1), [["x"]], ["two"], None)["context"]
    assert first[1] == first[2] == second[0] and len(set(first.tolist())) == 3


def many(shift: int, per_context: int) -> Answers:
    """40 contexts with some questions each, right or wrong as a whole."""
    right = np.repeat((np.arange(40) % 4 >= shift), per_context)
    texts = np.where(right, "yes", "no").tolist()
    contexts = [f"text {number // per_context}" for number in range(len(texts))]
    return Answers(graded(texts, np.zeros(len(texts)), [["yes"]] * len(texts), contexts, None))


def test_close_comparisons_draw_whole_contexts() -> None:
    score: Score = SPAN_SCORES["answer_f1"]
    test, p, interval = score.compare([(many(1, 10), many(2, 10))])
    assert (test, interval.over) == ("paired bootstrap", "bootstrap over 400 examples") and p < 0.001
    some = many(0, 10)
    worse = Answers({**some.columns, "f1": np.where(np.arange(400) % 400 < 8, 0.0, some["f1"])})  # all in one text
    test, p, interval = score.compare([(some, worse)])
    assert (test, interval.over) == ("paired bootstrap over contexts", "bootstrap over 40 contexts")
    assert p > 0.05 and interval.low == 0.0  # over questions 8 of 400 would be significant


def test_a_close_interval_excludes_0_by_less_than_half_its_width() -> None:
    assert is_close(Interval(0.01, 0.05, "")) and is_close(Interval(-0.05, -0.01, ""))
    assert not is_close(Interval(0.04, 0.05, "")) and not is_close(Interval(-0.01, 0.05, ""))


def test_close_comparisons_of_several_seeds_average_them() -> None:
    score, some = SPAN_SCORES["answer_f1"], many(0, 10)
    worse = Answers({**some.columns, "f1": np.where(np.arange(400) < 8, 0.0, some["f1"])})
    one, two = (score.compare([(some, worse)] * seeds) for seeds in (1, 2))
    assert one == two and one[0] == "paired bootstrap over contexts"


def test_each_draw_of_questions_has_its_own_best_threshold() -> None:
    random = np.random.default_rng(0)
    texts, margins = np.where(random.random(12) < 0.5, "a", "b").tolist(), random.integers(6, size=12) / 5
    found = Answers(graded(texts, margins, [["a"], ["b"], []] * 4, list("abcdefghijkl"), 0.4))
    draws = random.integers(3, size=(20, 12)).astype(float)
    for name, grade in (("exact_match_best_threshold", "text_exact"), ("answer_f1_best_threshold", "text_f1")):
        values = SPAN_SCORES[name].over(found)(draws)
        for value, counts in zip(values, draws):
            of_each = [
                counts @ np.where(margins <= threshold, found[grade], 1 - found["answerable"]) / counts.sum()
                for threshold in [-1.0, *margins]
            ]
            assert value == pytest.approx(max(of_each)), name


def test_the_interval_of_exact_matches_is_wilsons_and_that_of_one_kind_is_of_its_questions() -> None:
    random = np.random.default_rng(1)
    right = random.random(200) < 0.7
    golds = [["yes"] if number % 4 else [] for number in range(200)]  # 150 questions have an answer
    contexts = [f"text {number}" for number in range(200)]
    found = Answers(graded(np.where(right, "yes", "no").tolist(), np.zeros(200), golds, contexts, 0.5))
    share = SPAN_SCORES["exact_match"].value(found)
    assert SPAN_SCORES["exact_match"].interval(found) == wilson_interval(share, 200)
    score = SPAN_SCORES["exact_match_has_answer"]
    expected = wilson_interval(score.value(found), 150)
    assert score.interval(found) == pytest.approx(expected, abs=0.015) and score.scored_units(found) == 150
