from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as sklearn_metrics
from sklearn.metrics import f1_score, matthews_corrcoef

from runner.statistics.intervals import wilson_interval
from runner.tasks import TASKS, classification, regression, task_module


def one_hot(predictions: list[int] | np.ndarray, classes: int = 2) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[np.asarray(predictions)]


def test_scores_of_a_hand_counted_confusion() -> None:
    # True positives 3, false positives 1, false negatives 2, true negatives 4.
    labels = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0])
    logits = one_hot([1, 1, 1, 0, 0, 1, 0, 0, 0, 0])
    got = classification.metrics(logits, labels, ["accuracy", "f1", "f1_macro", "mcc"])
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
    got = classification.metrics(one_hot([1] * 408), labels, names)
    assert {name: round(value, 4) for name, value in got.items()} == {
        "accuracy": 0.6838, "f1": 0.8122, "mcc": 0.0,
    }  # fmt: skip
    assert got == {name: classification.majority(np.array([1, 1, 0]), labels, name) for name in names}


@pytest.mark.parametrize("answer", [0, 1])
def test_constant_predictions_score_zero_and_never_nan(answer: int) -> None:
    labels = np.array([0, 1, 1, 0, 0])
    logits = one_hot([answer] * 5)
    got = classification.metrics(logits, labels, classification.METRICS)
    assert got["mcc"] == 0.0
    assert all(math.isfinite(value) for value in got.values())
    assert classification.constant_predictions(logits)
    for name in classification.METRICS:
        assert all(math.isfinite(end) for end in classification.interval(logits, labels, name))


def test_the_first_of_two_equal_logits_wins() -> None:
    assert classification.metrics(np.zeros((2, 3)), np.array([0, 1]), ["accuracy"]) == {"accuracy": 0.5}


def test_f1_of_three_classes_is_refused_with_the_macro_mean_as_cure() -> None:
    with pytest.raises(ValueError, match=r"data\.metrics=\[f1_macro\]"):
        classification.metrics(one_hot([0, 1, 2], 3), np.array([0, 1, 2]), ["f1"])


@pytest.mark.parametrize("task", [classification, regression])
def test_an_unknown_score_is_refused_with_the_known_ones(task: object) -> None:
    with pytest.raises(KeyError, match="known: "):
        task.metrics(np.zeros((2, 1)), np.zeros(2), ["bleu"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("task", [classification, regression])
def test_outputs_that_are_not_finite_are_refused(task: object) -> None:
    with pytest.raises(ValueError, match="1 of 2 rows are not finite"):
        task.metrics(np.array([[math.nan], [1.0]]), np.array([0, 1]), [])  # type: ignore[attr-defined]


def test_class_weights_change_the_mean_as_by_hand() -> None:
    logits, labels = torch.tensor([[0.0, 0.0], [0.0, math.log(3)]]), torch.tensor([0, 1])
    losses = (math.log(2), math.log(4 / 3))
    assert classification.loss(logits, labels).item() == pytest.approx(sum(losses) / 2)
    weighted = classification.loss(logits, labels, torch.tensor([1.0, 3.0])).item()
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
        got = classification.metrics(one_hot(predictions, classes), labels, list(expected), positive=positive)
        assert got == pytest.approx({name: score(labels, predictions) for name, score in expected.items()})
        matrix = classification.confusion_of(labels, predictions, classes)[None]
        for name in expected:
            assert classification.of_confusion(name, positive)(matrix)[0] == pytest.approx(got[name]), name


@pytest.mark.parametrize("classes", [2, 5])
def test_a_report_of_the_classes_equals_scikit_learns(classes: int) -> None:
    ids, names = np.arange(classes), [f"class {i}" for i in range(classes)]
    for seed in range(10):
        labels, predictions = drawn(seed, classes)
        got = classification.report(one_hot(predictions, classes), labels, names)
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
    got = classification.report(one_hot(labels, 201), labels, [str(i) for i in labels])
    assert got["confusion"] is None and len(got["f1"]) == 201


def test_a_model_that_never_finds_the_rare_class_has_no_f1() -> None:
    labels = np.array([0] * 2 + [1] * 400)
    got = classification.metrics(one_hot([1] * 402), labels, classification.METRICS, positive=0)
    assert (got["f1"], got["precision"], got["recall"], got["balanced_accuracy"]) == (0.0, 0.0, 0.0, 0.5)
    assert classification.majority(labels, labels, "f1", positive=0) == 0.0


@pytest.mark.parametrize("name", ["balanced_accuracy", "precision", "recall", "f1"])
@pytest.mark.parametrize("positive", [0, 1])
def test_an_interval_of_a_score_of_one_class_holds_the_score(name: str, positive: int) -> None:
    random = np.random.default_rng(3)
    labels = (random.random(300) < 0.8).astype(int)
    logits = one_hot(np.where(random.random(300) < 0.8, labels, 1 - labels))
    low, high = classification.interval(logits, labels, name, positive=positive)
    assert low < classification.metrics(logits, labels, [name], positive=positive)[name] < high
    flipped = classification.interval(logits[:, ::-1], 1 - labels, name, positive=1 - positive)
    assert (low, high) == pytest.approx(flipped, abs=0.03), "the classes have no order"


def test_an_interval_of_many_classes_is_the_same_in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, predictions = drawn(1, 5)
    whole = classification.interval(one_hot(predictions, 5), labels, "f1_macro")
    monkeypatch.setattr("runner.statistics.intervals._CHUNK", 25 * 7)
    assert classification.interval(one_hot(predictions, 5), labels, "f1_macro") == whole


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
    got = classification.interval(one_hot(predictions), labels, name)
    assert got == pytest.approx(tuple(expected), abs=0.02)
    assert got == classification.interval(one_hot(predictions), labels, name), "seeded"


def test_regression_scores_by_hand() -> None:
    labels, outputs = np.array([1.0, 2.0, 3.0, 4.0]), np.array([[1.0], [3.0], [2.0], [6.0]])
    got = regression.metrics(outputs, labels, ["pearson", "spearman", "mse"])
    assert got["spearman"] == pytest.approx(0.8)
    assert got["pearson"] == pytest.approx(7 / math.sqrt(5 * 14))
    assert got["mse"] == pytest.approx((0 + 1 + 1 + 4) / 4)


def test_spearman_does_not_change_with_the_scale_of_the_outputs() -> None:
    random = np.random.default_rng(0)
    labels, outputs = random.random(50), random.random(50)
    before = regression.metrics(outputs, labels, ["spearman"])
    assert before == regression.metrics(np.exp(3 * outputs) + 7, labels, ["spearman"])


def test_constant_outputs_correlate_with_nothing() -> None:
    labels = np.array([1.0, 2.0, 3.0])
    got = regression.metrics(np.full((3, 1), 0.1), labels, regression.METRICS)
    assert (got["pearson"], got["spearman"]) == (0.0, 0.0)
    assert regression.constant_predictions(np.full((3, 1), 0.1))
    assert regression.interval(np.full((3, 1), 0.1), labels, "spearman") == (0.0, 0.0)
    assert regression.majority(np.array([2.0, 4.0]), labels, "mse") == pytest.approx((4 + 1 + 0) / 3)


def test_outputs_that_differ_by_rounding_alone_are_constant() -> None:
    labels = np.linspace(1.0, 5.0, 40)
    outputs = (3.0 + 2e-7 * labels).astype(np.float32)[:, None]
    assert len(np.unique(outputs)) > 1, "and their order is that of the labels"
    assert regression.constant_predictions(outputs)
    assert regression.metrics(outputs, labels, ["spearman", "pearson"]) == {"spearman": 0.0, "pearson": 0.0}
    assert regression.metrics(outputs * 1e6 + labels[:, None], labels, ["spearman"])["spearman"] == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["pearson", "spearman", "mse"])
def test_interval_of_regression_equals_resampling_the_rows(name: str) -> None:
    random = np.random.default_rng(5)
    labels = np.round(random.random(200) * 5, 1)  # ties, as in STS-B
    outputs = np.round(labels + random.normal(size=200), 1)
    picks = random.integers(200, size=(400, 200))
    resampled = [regression.metrics(outputs[rows], labels[rows], [name])[name] for rows in picks]
    got = regression.interval(outputs[:, None], labels, name)
    # Tolerance: a tenth to a fifth of the intervals' widths, the spread of 400 draws.
    assert got == pytest.approx(tuple(np.quantile(resampled, [0.025, 0.975])), abs=0.1 if name == "mse" else 0.03)


def test_resampled_ranks_are_those_scipy_gives() -> None:
    from scipy.stats import spearmanr

    random = np.random.default_rng(7)
    labels, outputs = random.integers(5, size=60).astype(float), random.integers(9, size=60).astype(float)
    rows = random.integers(60, size=60)
    counts = np.bincount(rows, minlength=60)[None].astype(float)
    (got,) = regression._spearman_of_counts(outputs, labels)(counts)
    assert got == pytest.approx(spearmanr(outputs[rows], labels[rows]).statistic, abs=1e-12)


def test_regression_loss_squeezes_the_head_and_refuses_class_weights() -> None:
    logits, labels = torch.tensor([[1.0], [4.0]]), torch.tensor([2.0, 2.0], dtype=torch.float64)
    assert regression.loss(logits, labels).item() == pytest.approx(2.5)
    with pytest.raises(ValueError, match=r"data\.class_weights=none"):
        regression.loss(logits, labels, torch.ones(1))


def test_each_named_task_offers_the_whole_interface() -> None:
    for kind in TASKS:
        names = ["loss", "mean_loss", "metrics", "interval", "columns"]
        names += [] if kind == "mlm" else ["majority", "constant_predictions"]
        assert all(hasattr(task_module(kind), name) for name in names)
    with pytest.raises(KeyError, match="known: classification, regression"):
        task_module("ranking")
