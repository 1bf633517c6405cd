from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn_metrics
from sklearn.metrics import f1_score, matthews_corrcoef

from runner.statistics.class_counts import counts_of
from runner.statistics.confusion import CLASS_SCORES, ConfusionScore, confusion_of
from runner.statistics.intervals import wilson_interval
from runner.tasks.base import LabelFacts, Task
from runner.tasks.classification import Classification, softmax, why_diverged
from tests.runner.tasks.splits import (
    classification,
    interval,
    is_constant,
    loss,
    metrics,
    regression,
    report,
    split_of,
)


def one_hot(predictions: list[int] | np.ndarray, classes: int = 2) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[np.asarray(predictions)]


def test_scores_of_a_hand_counted_confusion() -> None:
    # True positives 3, false positives 1, false negatives 2, true negatives 4.
    labels = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0])
    logits = one_hot([1, 1, 1, 0, 0, 1, 0, 0, 0, 0])
    got = metrics(classification, logits, labels, ["accuracy", "f1", "f1_macro", "mcc"])
    assert got == pytest.approx(
        {
            "accuracy": 0.7,
            "f1": 6 / 9,
            "f1_macro": (6 / 9 + 8 / 11) / 2,
            "mcc": (3 * 4 - 1 * 2) / math.sqrt(4 * 5 * 5 * 6),
        }
    )
    assert list(got) == ["accuracy", "f1", "f1_macro", "mcc"]


def test_answering_yes_to_all_of_mrpc_gives_the_published_majority_scores() -> None:
    labels = np.array([1] * 279 + [0] * 129)
    names = ["accuracy", "f1", "mcc"]
    got = metrics(classification, one_hot([1] * 408), labels, names)
    assert {name: round(value, 4) for name, value in got.items()} == {
        "accuracy": 0.6838, "f1": 0.8122, "mcc": 0.0,
    }  # fmt: skip
    assert got == {name: classification.baseline(split_of([1, 1, 0]), split_of(labels), name) for name in names}


@pytest.mark.parametrize("answer", [0, 1])
def test_constant_predictions_score_zero_and_never_nan(answer: int) -> None:
    labels = np.array([0, 1, 1, 0, 0])
    logits = one_hot([answer] * 5)
    got = metrics(classification, logits, labels, CLASS_SCORES)
    assert got["mcc"] == 0.0
    assert all(math.isfinite(value) for value in got.values())
    assert is_constant(classification, logits)
    for name in CLASS_SCORES:
        assert all(math.isfinite(end) for end in interval(classification, logits, labels, name))


def test_the_first_of_two_equal_logits_wins() -> None:
    assert metrics(classification, np.zeros((2, 3)), np.array([0, 1]), ["accuracy"]) == {"accuracy": 0.5}


def test_f1_of_three_classes_is_refused_with_the_macro_mean_as_cure() -> None:
    with pytest.raises(ValueError, match=r"data\.metrics=\[f1_macro\]"):
        metrics(classification, one_hot([0, 1, 2], 3), np.array([0, 1, 2]), ["f1"])


@pytest.mark.parametrize("task", [classification, regression])
def test_an_unknown_score_is_refused_with_the_known_ones(task: Task) -> None:
    with pytest.raises(KeyError, match="known: "):
        metrics(task, np.zeros((2, 1)), np.zeros(2, int), ["bleu"])


@pytest.mark.parametrize("task", [classification, regression])
def test_outputs_that_are_not_finite_are_refused(task: Task) -> None:
    with pytest.raises(ValueError, match="1 of 2 rows are not finite"):
        metrics(task, np.array([[math.nan], [1.0]]), np.array([0, 1]), [])


def test_class_weights_change_the_mean_as_by_hand() -> None:
    logits, labels = torch.tensor([[0.0, 0.0], [0.0, math.log(3)]]), torch.tensor([0, 1])
    losses = (math.log(2), math.log(4 / 3))
    assert loss(classification, logits, labels) == pytest.approx(sum(losses) / 2)
    weighted = loss(Classification(LabelFacts(class_weights=np.float32([1, 3]))), logits, labels)
    assert weighted == pytest.approx((losses[0] + 3 * losses[1]) / 4)


def test_wilson_interval_equals_the_published_example_and_stays_within_0_and_1() -> None:
    assert wilson_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)  # Newcombe 1998, table I, 3
    assert wilson_interval(1.0, 20)[1] == pytest.approx(1.0)
    assert wilson_interval(0.0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(0.0, 0) == (0.0, 1.0)


def drawn(seed: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions of which some classes may occur on one side alone, or not at all."""
    random = np.random.default_rng(seed)
    sides = (random.choice(random.permutation(classes)[: random.integers(1, classes + 1)], size=30) for _ in range(2))
    labels, predictions = sides
    return labels, np.where(random.random(30) < 0.5, labels, predictions)


@pytest.mark.filterwarnings("ignore")  # scikit-learn's, about the very classes that are absent
@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("positive", [0, 1])
def test_scores_equal_scikit_learns_whichever_classes_occur(classes: int, positive: int) -> None:
    of_two = {"pos_label": positive, "zero_division": 0}
    expected = {
        "accuracy": sklearn_metrics.accuracy_score,
        "balanced_accuracy": sklearn_metrics.balanced_accuracy_score,
        "f1_macro": lambda y, p: f1_score(y, p, average="macro", zero_division=0),
        "mcc": matthews_corrcoef,
    }
    if classes == 2:
        expected |= {
            "f1": lambda y, p: f1_score(y, p, **of_two),
            "precision": lambda y, p: sklearn_metrics.precision_score(y, p, **of_two),
            "recall": lambda y, p: sklearn_metrics.recall_score(y, p, **of_two),
        }
    for seed in range(25):
        labels, predictions = drawn(seed, classes)
        got = metrics(classification, one_hot(predictions, classes), labels, list(expected), positive=positive)
        assert got == pytest.approx({name: score(labels, predictions) for name, score in expected.items()})
        counts = counts_of(confusion_of(labels, predictions, classes))[None]
        for name in expected:
            score = CLASS_SCORES[name]
            assert isinstance(score, ConfusionScore)
            assert score.of_class(positive)(counts)[0] == pytest.approx(got[name]), name


@pytest.mark.parametrize("classes", [2, 5])
def test_a_report_of_the_classes_equals_scikit_learns(classes: int) -> None:
    ids, names = np.arange(classes), [str(i) for i in range(classes)]
    for seed in range(10):
        labels, predictions = drawn(seed, classes)
        got = report(one_hot(predictions, classes), labels)
        precision, recall, f1, support = sklearn_metrics.precision_recall_fscore_support(
            labels, predictions, labels=ids, zero_division=0
        )
        matrix = sklearn_metrics.confusion_matrix(labels, predictions, labels=ids)
        assert got["confusion"] == matrix.tolist() and got["predicted"] == matrix.sum(0).tolist()
        assert (got["classes"], got["support"]) == (names, support.tolist())
        for name, values in (("precision", precision), ("recall", recall), ("f1", f1)):
            assert got[name] == pytest.approx(values.tolist())


def test_the_matrix_of_very_many_classes_is_left_to_the_stored_predictions() -> None:
    labels = np.arange(201)
    got = report(one_hot(labels, 201), labels)
    assert got["confusion"] is None and len(got["f1"]) == 201


def test_a_model_that_never_finds_the_rare_class_has_no_f1() -> None:
    labels = np.array([0] * 2 + [1] * 400)
    got = metrics(classification, one_hot([1] * 402), labels, CLASS_SCORES, positive=0)
    assert (got["f1"], got["precision"], got["recall"], got["balanced_accuracy"]) == (0.0, 0.0, 0.0, 0.5)
    assert Classification(LabelFacts(positive=0)).baseline(split_of(labels), split_of(labels), "f1") == 0.0


@pytest.mark.parametrize("name", ["balanced_accuracy", "precision", "recall", "f1"])
@pytest.mark.parametrize("positive", [0, 1])
def test_an_interval_of_a_score_of_one_class_holds_the_score(name: str, positive: int) -> None:
    random = np.random.default_rng(3)
    labels = (random.random(300) < 0.8).astype(int)
    logits = one_hot(np.where(random.random(300) < 0.8, labels, 1 - labels))
    low, high = interval(classification, logits, labels, name, positive=positive)
    assert low < metrics(classification, logits, labels, [name], positive=positive)[name] < high
    flipped = interval(classification, logits[:, ::-1], 1 - labels, name, positive=1 - positive)
    assert (low, high) == pytest.approx(flipped, abs=0.03), "the classes have no order"


def test_an_interval_of_many_classes_is_the_same_in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, predictions = drawn(1, 5)
    whole = interval(classification, one_hot(predictions, 5), labels, "f1_macro")
    monkeypatch.setattr("runner.statistics.intervals._CHUNK", 25 * 7)
    assert interval(classification, one_hot(predictions, 5), labels, "f1_macro") == whole


@pytest.mark.parametrize("name", ["f1", "f1_macro", "mcc"])
def test_interval_of_a_confusion_equals_resampling_the_rows(name: str) -> None:
    random = np.random.default_rng(3)
    labels = random.integers(2, size=300)
    predictions = np.where(random.random(300) < 0.8, labels, 1 - labels)
    score = {
        "f1": f1_score,
        "f1_macro": lambda y, p: f1_score(y, p, average="macro"),
        "mcc": matthews_corrcoef,
    }[name]
    picks = random.integers(300, size=(300, 300))
    expected = np.quantile([score(labels[rows], predictions[rows]) for rows in picks], [0.025, 0.975])
    got = interval(classification, one_hot(predictions), labels, name)
    assert got == pytest.approx(tuple(expected), abs=0.02)
    assert got == interval(classification, one_hot(predictions), labels, name), "seeded"


@pytest.mark.parametrize(
    ("accuracy", "loss", "expected"),
    [
        (0.9, 0.3, None),
        (0.9, math.nan, "not finite"),
        (0.505, 0.3, "within a point"),
        (0.6, math.log(2) - 0.01, "guessing among 2"),
    ],
)
def test_a_run_that_learned_nothing_is_why_diverged(accuracy: float, loss: float, expected: str | None) -> None:
    reason = why_diverged(accuracy=accuracy, majority=0.5, loss=loss, classes=2)
    assert reason is None if expected is None else expected in str(reason)


def test_a_short_training_that_ranks_most_rows_right_has_learned() -> None:
    near = {"majority": 0.5, "loss": math.log(2) - 0.001, "classes": 2}
    assert why_diverged(accuracy=0.75, rows=36, **near) is None, "the interval of 27 of 36 rows is above 0.5"
    assert "guessing among 2" in str(why_diverged(accuracy=0.56, rows=36, **near)), "20 of 36 rows are chance"
    assert "not finite" in str(why_diverged(accuracy=0.75, rows=36, **near | {"loss": math.nan}))


def test_a_run_that_finds_the_rare_class_is_not_diverged_though_accuracy_cannot_say() -> None:
    rare = {"majority": 0.995, "loss": 0.01, "classes": 2}
    assert why_diverged(accuracy=0.998, above_chance=0.3, **rare) is None
    assert "within a point" in str(why_diverged(accuracy=0.995, above_chance=0.0, **rare))


def test_probabilities_add_up_whatever_the_logits() -> None:
    shares = softmax(np.array([[1000.0, 0.0], [-5.0, -5.0]], dtype=np.float32))
    assert shares.dtype == np.float64 and shares.tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_an_answer_is_the_most_probable_label_and_the_probability_of_each() -> None:
    task, asked = Classification(LabelFacts(("no", "yes"))), None
    (answer,) = task.respond(np.array([[0.0, 0.0]]), asked)  # type: ignore[arg-type]
    assert answer == {"prediction": "no", "probabilities": {"no": 0.5, "yes": 0.5}}
    assert list(answer) == [field.name for field in task.answer_fields()]


def test_the_area_under_the_curve_is_scored_and_stored_where_it_is_asked_for() -> None:
    random = np.random.default_rng(0)
    labels, logits = random.integers(0, 3, 90), random.normal(size=(90, 3)).astype(np.float32)
    asked = Classification(LabelFacts(("none", "some", "most"), metrics=("f1_macro", "auroc_first")))
    answers = asked.answers(logits, split_of(labels))
    expected = sklearn_metrics.roc_auc_score(labels > 0, 1 - softmax(logits)[:, 0])
    assert asked.evaluate(answers, asked.metrics)["auroc_first"] == pytest.approx(expected, abs=1e-12)
    assert set(asked.stored) <= set(asked.columns_to_store(logits, answers))
    assert asked.baseline(split_of(labels), split_of(labels), "auroc_first") == 0.5
    assert classification.stored == ("label", "prediction")


def test_the_loss_of_an_evaluation_is_the_cross_entropy_however_many_rows_a_loss_of_order_compares() -> None:
    logits, labels = np.float32([[0.5, -0.5], [0.0, 0.3]]), [1, 0]
    ordered = Classification(LabelFacts(("no", "yes"), loss="cosent"))
    found = [ordered.evaluated_loss(np.tile(logits, (times, 1)), split_of(labels * times)) for times in (1, 500)]
    assert found == pytest.approx([classification.evaluated_loss(logits, split_of(labels))] * 2, rel=1e-5)


def test_a_loss_of_order_has_no_level_of_guessing() -> None:
    labels, ordered = split_of([0, 1] * 20), Classification(LabelFacts(("no", "yes"), loss="cosent"))
    scores = {"accuracy": 0.9, "balanced_accuracy": 0.9}
    assert ordered.diverged(labels, labels, scores, 3.0) is False
    assert ordered.diverged(labels, labels, scores, math.nan) is True
    assert ordered.diverged(labels, labels, {"accuracy": 0.5, "balanced_accuracy": 0.5}, 3.0) is True
