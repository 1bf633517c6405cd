"""Sets of labels: the loss by hand and its variants, thresholds, answers, and what has learned nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from data.targets.class_weights import positive_weights
from runner.statistics.answers import Answers
from runner.statistics.label_set_scores import matrix
from runner.statistics.probabilities import sigmoid
from runner.statistics.thresholds import one_threshold, threshold_of_each
from runner.tasks.base import LabelFacts
from runner.tasks.multilabel import MultiLabel
from tests.runner.tasks.splits import split_of

NAMES = ("anger", "joy", "fear", "grief")
Z, Y = torch.tensor([[2.0, -1.0, 0.5, -3.0]]), torch.tensor([[1, 0, 1, 0]])
LABELS = np.array([[1, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]], np.int8)
LOGITS = np.array([[2, -1, -1, -3], [-1, 2, 1, -2], [-2, -2, -1, -1], [1, 1, -1, -2]], np.float32)


def task(**facts: Any) -> MultiLabel:
    return MultiLabel(LabelFacts(NAMES, **facts))


def loss(of: MultiLabel, output: torch.Tensor = Z, labels: torch.Tensor = Y) -> float:
    return float(of.loss(output, {"labels": labels}))


def test_the_loss_of_a_row_by_hand_as_a_mean_and_as_a_sum_over_labels() -> None:
    assert loss(task()) == pytest.approx(0.240714, abs=1e-6)
    assert loss(task(loss_reduction="sum_labels")) == pytest.approx(0.962854, abs=1e-5)
    each = [loss(MultiLabel(LabelFacts(("a", "b"))), Z[:, i : i + 1], Y[:, i : i + 1]) for i in range(4)]
    assert each == pytest.approx([0.126928, 0.313262, 0.474077, 0.048587], abs=1e-6)


def test_weights_of_1_change_nothing_and_others_weigh_true_labels_alone() -> None:
    assert loss(task(class_weights=np.ones(4, np.float32))) == loss(task())
    weighted = task(class_weights=np.full(4, 2, np.float32))
    assert loss(weighted) == pytest.approx((2 * 0.126928 + 0.313262 + 2 * 0.474077 + 0.048587) / 4, abs=1e-6)
    assert weighted.weight({"labels": LABELS}) == 4.0
    assert positive_weights("balanced", np.array([[1, 0], [0, 0], [0, 1], [1, 0]])).tolist() == [1.0, 3.0]
    assert positive_weights("balanced", np.eye(100, dtype=np.int8)).tolist() == [20.0] * 100
    assert positive_weights("sqrt", np.array([[1], [0], [0], [0], [0]])).tolist() == [2.0]


@pytest.mark.parametrize("soft", ["kl", "cross_entropy"])
def test_a_teacher_as_sure_as_the_labels_gives_the_plain_loss(soft: str) -> None:
    sure = torch.where(Y > 0, 60.0, -60.0)
    for own in (task(), task(loss_reduction="sum_labels")):
        assert float(own.match(Z, sure, {}, soft=soft, temperature=1.0)) == pytest.approx(loss(own), abs=1e-6)


def test_a_teacher_is_matched_label_by_label_at_its_temperature() -> None:
    teacher, heat = torch.tensor([[1.0, -2.0, 0.0, 3.0]]), 3.0
    p, q = (found.double().div(heat).sigmoid() for found in (teacher, Z))
    expected = heat**2 * (p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()).mean()
    assert float(task().match(Z, teacher, {}, soft="kl", temperature=heat)) == pytest.approx(float(expected), abs=1e-6)
    assert float(task().match(Z, Z, {}, soft="kl", temperature=heat)) == pytest.approx(0, abs=1e-7)
    soft = torch.nn.functional.binary_cross_entropy_with_logits(Z / heat, (teacher / heat).sigmoid())  # as for classes
    assert float(task().match(Z, teacher, {}, soft="cross_entropy", temperature=heat)) == pytest.approx(float(soft))


def test_labels_learn_as_by_themselves_where_they_share_features() -> None:
    random = torch.Generator().manual_seed(0)
    features = torch.randn(64, 8, generator=random)
    labels = (torch.rand(64, 4, generator=random) < 0.3).int()

    def trained(of: MultiLabel, columns: slice) -> torch.Tensor:
        layer = torch.nn.Linear(8, len(range(4)[columns]))
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
        optimizer = torch.optim.SGD(layer.parameters(), lr=0.5)
        for _ in range(20):
            optimizer.zero_grad()
            of.mean_loss(layer(features), labels[:, columns]).backward()
            optimizer.step()
        return layer(features).detach()

    together = trained(task(loss_reduction="sum_labels"), slice(0, 4))
    alone = [trained(MultiLabel(LabelFacts(("a", "b"))), slice(i, i + 1)) for i in range(4)]
    torch.testing.assert_close(together, torch.cat(alone, 1), atol=1e-5, rtol=0)


def test_a_fresh_head_starts_from_the_shares_of_the_labels() -> None:
    bias = task().output_bias(split_of(np.repeat([[1, 1, 0, 0], [0, 1, 0, 1]], [1, 3], axis=0)))
    assert sigmoid(bias) == pytest.approx([0.25, 0.9999, 0.0001, 0.75])


def test_answers_have_a_decision_for_each_label_and_a_row_as_their_unit() -> None:
    found = task().answers(LOGITS, split_of(LABELS))
    assert len(found) == 4 and found.items == 16
    assert matrix(found, "prediction").tolist() == [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0]]
    assert task().evaluate(found, ["f1_micro", "subset_accuracy"]) == {"f1_micro": 0.8, "subset_accuracy": 0.5}
    assert task().evaluated_loss(LOGITS, split_of(LABELS)) == pytest.approx(
        loss(task(), torch.from_numpy(LOGITS), torch.from_numpy(LABELS))
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("0.9", [0, 0, 0, 0]), ("0.2", [1, 1, 1, 0]), ("at_least_one", [1, 0, 0, 0]), ("0.5", [0, 0, 0, 0])],
)
def test_a_number_or_the_likeliest_label_decides(rule: str, expected: list[int]) -> None:
    logits = np.array([[-0.5, -0.6, -0.7, -3]], np.float32)
    assert task(threshold=rule).answers(logits, split_of(LABELS[:1]))["prediction"].tolist() == expected


def test_thresholds_are_fitted_for_each_label_or_one_for_all_and_a_number_is_left_alone() -> None:
    split, shares = split_of(LABELS), sigmoid(LOGITS)
    each, one = (task(threshold=rule).fitted(LOGITS, split).thresholds for rule in ("per_label", "one"))
    assert each.tolist() == threshold_of_each(shares, LABELS)[0].tolist() and len(set(each.tolist())) > 1
    assert one.tolist() == one_threshold(shares, LABELS).tolist() and len(set(one.tolist())) == 1
    plain = task(threshold="0.3")
    assert plain.fitted(LOGITS, split) is plain and plain.thresholds.tolist() == [0.3] * 4
    variants = task(threshold="0.3").variants(LOGITS, split)
    assert variants["at_half"].thresholds.tolist() == [0.5] * 4
    assert variants["tuned"].thresholds.tolist() == each.tolist()


def test_what_a_reader_needs_is_as_long_before_a_training_as_after_it() -> None:
    for rule, expected in (("per_label", [0.111111] * 4), ("one", [0.111111] * 4), ("0.3", [0.3] * 4)):
        assert task(threshold=rule).reader_facts(are_fitted=True) == {"thresholds": expected}
    assert task(threshold="at_least_one").reader_facts() == {"thresholds": [0.5] * 4, "at_least_one": True}


def test_accuracy_is_that_of_whole_sets_and_says_so() -> None:
    assert task(metrics=("accuracy", "subset_accuracy")).metrics == ("subset_accuracy",)
    assert task().check().metrics == ("f1_micro", "f1_macro", "subset_accuracy")


def test_the_baseline_answers_the_most_frequent_label_and_ranks_by_shares() -> None:
    train, split = split_of(LABELS[[0, 0, 3]]), split_of(LABELS)
    assert task().baseline(train, split, "f1_micro") == pytest.approx(2 * 2 / (4 + 5))
    assert task().baseline(train, split, "map_labels") == pytest.approx((0.5 + 0.5 + 0.25) / 3)


def test_a_report_has_the_counts_and_scores_of_each_label() -> None:
    found = task().report(task().answers(LOGITS, split_of(LABELS)))
    assert found is not None and found["classes"] == list(NAMES) and found["confusion"] is None
    assert (found["support"], found["predicted"]) == ([2, 2, 1, 0], [2, 2, 1, 0])
    assert found["f1"] == [1.0, 1.0, 0.0, 0.0]


def test_the_same_set_for_every_row_is_noticed_and_logits_that_never_move_are_no_learning() -> None:
    def answers(logits: np.ndarray) -> Answers:
        return task().answers(logits.astype(np.float32), split_of(LABELS))

    flat, moving = np.full((4, 4), -1.0), np.full((4, 4), -1.0) - np.arange(4)[:, None]
    assert task().is_constant(answers(flat)) and task().is_constant(answers(moving))
    assert task().diverged_answers(answers(flat)) and not task().diverged_answers(answers(moving))
    assert task().diverged_answers(answers(flat - np.arange(4))), "labels differ, rows do not"
    assert not task().is_constant(answers(LOGITS))


def test_a_served_answer_has_the_labels_as_a_text_and_as_a_list_the_likeliest_first() -> None:
    own = task(threshold="per_label", thresholds=(0.5, 0.9, 0.2, 0.9))
    found: Any = own.respond(np.array([[1.0, 2.0, 3.0, -1.0], [-5.0, -5.0, -5.0, -5.0]], np.float32), None)
    assert found[0]["prediction"] == "fear, anger" and found[0]["predicted_labels"] == ["fear", "anger"]
    assert found[0]["probabilities"] == pytest.approx(dict(zip(NAMES, sigmoid(np.array([1.0, 2, 3, -1])))))
    assert found[1]["prediction"] == "" and found[1]["predicted_labels"] == []
    assert own.reader_facts() == {"thresholds": [0.5, 0.9, 0.2, 0.9]}
    sure: Any = task(threshold="at_least_one").respond(np.array([[-3.0, -1.0, -2.0, -9.0]], np.float32), None)
    assert sure[0]["predicted_labels"] == ["joy"]


def test_logits_that_are_not_finite_are_no_answers() -> None:
    with pytest.raises(ValueError, match="1 of 4 rows are not finite"):
        task().answers(np.where(np.arange(16).reshape(4, 4) == 5, np.nan, LOGITS), split_of(LABELS))


def test_the_line_about_the_training_labels_counts_the_most_frequent_ones() -> None:
    assert task().describe(split_of(LABELS)) == ("task: sets of 4 labels, 1.25 a row (anger 2, joy 2, fear 1, grief 0)")
