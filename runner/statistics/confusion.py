"""Scores of classes: each is a function of how many rows of each class are right, predicted and actual.

F1, precision and recall are those of one of two classes, `Answers.positive`. In every score 0/0 counts as 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from runner.statistics import paired
from runner.statistics.answers import Answers, is_constant
from runner.statistics.class_counts import ACTUAL, PREDICTED, RIGHT, OfClasses, counts_of, drawn_counts
from runner.statistics.intervals import RESAMPLES, bootstrap_confusion, wilson_interval
from runner.statistics.score_table import OF_ONE_CLASS
from runner.statistics.scores import OfCounts, Score, Tested

COMMON = 20  # rows of a class: with fewer, one answer moves its F1 by 5 points or more


@dataclass(frozen=True)
class ConfusionScore(Score):
    """A score of the counts of classes; the answers have the columns `label` and `prediction`, class ids."""

    name: str
    of_counts: OfClasses  # the positive class is 1

    def of_class(self, positive: int) -> OfClasses:
        """Return the score for a positive class; if that is 0, the two classes are swapped."""
        score = self.of_counts
        return score if positive == 1 else lambda counts: score(counts[:, :, ::-1])

    def of_answers(self, answers: Answers) -> OfClasses:
        """Return the score as a function of the counts of classes, of these answers or of resamples of them."""
        return self.of_class(answers.positive)

    def over(self, answers: Answers) -> OfCounts:
        """Return the score as a function of how often each unit was drawn."""
        size, score = self._classes(answers), self.of_answers(answers)
        return lambda draws: score(drawn_counts(draws, answers["label"], answers["prediction"], size))

    def value(self, answers: Answers) -> float:
        """Return the score; raise ValueError for a score of one class where there are more than two."""
        self._refuse_classes(answers)
        plain = _EXACT.get(self.name)
        if plain is None:
            return float(self.of_answers(answers)(counts_of(self.confusion(answers))[None])[0])
        return plain(answers["label"], answers["prediction"], answers.positive)

    def contributions(self, answers: Answers) -> np.ndarray | None:
        """Return 1 for each right answer, for accuracy."""
        return _right(answers).astype(np.float64) if self.name == "accuracy" else None

    def interval(self, answers: Answers, *, resamples: int = RESAMPLES, seed: int = 0) -> tuple[float, float]:
        """Return the 95 % interval: Wilson's for accuracy, else a bootstrap of the confusion matrix."""
        if self.name == "accuracy":
            return wilson_interval(float(np.mean(answers["label"] == answers["prediction"])), len(answers))
        self._refuse_classes(answers)
        score = self.of_answers(answers)
        ends = bootstrap_confusion(self.confusion(answers), score, resamples=resamples, seed=seed)
        return self.with_width(ends, answers)  # no width if all rows are of one class and right

    def scored_units(self, answers: Answers) -> int:
        """Return on how many units the score depends: precision, recall and F1 only on rows with the positive class.

        Precision counts the rows predicted as positive, recall those labelled so, F1 both.
        """
        is_labelled, is_answered = (answers[side] == answers.positive for side in ("label", "prediction"))
        of_one_class = {"f1": is_labelled | is_answered, "precision": is_answered, "recall": is_labelled}
        return int(of_one_class[self.name].sum()) if self.name in of_one_class else len(answers)

    def test(self, pairs: Sequence[tuple[Answers, Answers]]) -> Tested:
        """Use McNemar's test for accuracy (an example in several pairs counts once), else a paired bootstrap."""
        if self.name != "accuracy":
            return super().test(pairs)
        of_pairs = [_right(first).astype(np.int8) - _right(second) for first, second in pairs]
        counts = np.bincount(np.sum(of_pairs, axis=0) + len(pairs), minlength=2 * len(pairs) + 1)
        sums = np.arange(-len(pairs), len(pairs) + 1)  # the possible values for an example

        def interval() -> paired.Interval:
            means = paired.resample_mean(sums / len(pairs), counts)
            return paired.quantile_interval(means, f"bootstrap over {self.count(pairs[0][0])}", len(pairs[0][0]))

        if len(pairs) > 1:
            return "McNemar, examples as clusters", paired.clustered_mcnemar_p(sums, counts), interval
        return "McNemar", paired.mcnemar_p(int(counts[2]), int(counts[0])), interval

    def resampled_differences(self, pairs: Sequence[tuple[Answers, Answers]]) -> np.ndarray:
        """Return differences (R,) first - second, averaged over the pairs; resamples counts of answer patterns."""
        firsts, seconds = ([pair[side]["prediction"] for pair in pairs] for side in (0, 1))
        one = pairs[0][0]
        return paired.resample_confusions(one["label"], firsts, seconds, self.of_answers(one))

    def confusion(self, answers: Answers) -> np.ndarray:
        """Return counts (C, C) of the labels and predictions."""
        return confusion_of(answers["label"], answers["prediction"], self._classes(answers))

    def _classes(self, answers: Answers) -> int:
        return max(2, len(answers.names), *(int(answers[side].max(initial=0)) + 1 for side in ("label", "prediction")))

    def _refuse_classes(self, answers: Answers) -> None:
        classes = self._classes(answers)
        if self.name in OF_ONE_CLASS and classes != 2:
            raise ValueError(
                f"{self.name} is defined for two classes, but there are {classes}. Try: 'data.metrics=[f1_macro]'"
            )


class CommonF1(ConfusionScore):
    """The mean F1 of the classes with at least COMMON rows among the labels; resamples use these same classes."""

    def of_answers(self, answers: Answers) -> OfClasses:
        """Return the score for the classes that are common in these answers; 0 if none is."""
        common = self._common(answers)

        def mean_f1(counts: np.ndarray) -> np.ndarray:
            return np.asarray(_f1_per_class(counts)[0][:, common].sum(axis=1) / max(1, len(common)))

        return mean_f1

    def scored_units(self, answers: Answers) -> int:
        """Return how many units are labelled with a common class."""
        return int(np.isin(answers["label"], self._common(answers)).sum())

    def _common(self, answers: Answers) -> np.ndarray:
        """Return the ids of the classes with enough rows."""
        return np.flatnonzero(np.bincount(answers["label"], minlength=self._classes(answers)) >= COMMON)


def confusion_of(labels: np.ndarray, predictions: np.ndarray, classes: int = 2) -> np.ndarray:
    """Return counts (C, C), row = label, column = prediction, of at least `classes` classes."""
    size = max(classes, int(labels.max(initial=0)) + 1, int(predictions.max(initial=0)) + 1)
    return np.bincount(labels * size + predictions, minlength=size * size).reshape(size, size)


def class_table(confusion: np.ndarray) -> dict[str, list[float]]:
    """Return support, predicted, precision, recall and F1 of each class of a confusion matrix (C, C)."""
    right, predicted, support = counts_of(confusion)
    return {
        "support": support.tolist(),
        "predicted": predicted.tolist(),
        "precision": _ratio(right, predicted).tolist(),
        "recall": _ratio(right, support).tolist(),
        "f1": _ratio(2 * right, support + predicted).tolist(),
    }


def _right(answers: Answers) -> np.ndarray:
    """(N,) whether the predicted class is the label."""
    return np.asarray(answers["label"] == answers["prediction"])


def _ratio(some: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.asarray(some / np.maximum(whole, 1))  # 0/0 is 0


def _f1_per_class(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return F1 (R, C) and which classes occur (R, C), among labels or predictions, of counts (R, 3, C)."""
    seen = counts[:, PREDICTED] + counts[:, ACTUAL]
    return 2 * counts[:, RIGHT] / np.maximum(seen, 1), seen > 0


def _f1(counts: np.ndarray) -> np.ndarray:
    return _f1_per_class(counts)[0][:, 1]


def _precision(counts: np.ndarray) -> np.ndarray:
    return _ratio(counts[:, RIGHT, 1], counts[:, PREDICTED, 1])


def _recall(counts: np.ndarray) -> np.ndarray:
    return _ratio(counts[:, RIGHT, 1], counts[:, ACTUAL, 1])


def _balanced_accuracy(counts: np.ndarray) -> np.ndarray:
    """Return the mean recall (R,) of the classes that occur among the labels."""
    support = counts[:, ACTUAL]
    recalls = _ratio(counts[:, RIGHT], support)
    return np.asarray(recalls.sum(axis=1) / np.maximum((support > 0).sum(axis=1), 1))


def _f1_macro(counts: np.ndarray) -> np.ndarray:
    scores, occurs = _f1_per_class(counts)
    return np.asarray((scores * occurs).sum(axis=1) / occurs.sum(axis=1))


def _mcc(counts: np.ndarray) -> np.ndarray:
    """Return the multi-class Matthews correlation (R,), 0 if a marginal is constant (Gorodkin 2004)."""
    right, answered, actual = np.moveaxis(counts.astype(np.float64), 1, 0)
    total = actual.sum(axis=1)
    covariance = right.sum(axis=1) * total - (answered * actual).sum(axis=1)
    spread = (total**2 - (answered**2).sum(axis=1)) * (total**2 - (actual**2).sum(axis=1))
    return np.where(spread > 0, covariance / np.sqrt(np.maximum(spread, 1.0)), 0.0)


def _accuracy(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts[:, RIGHT].sum(axis=1) / counts[:, ACTUAL].sum(axis=1))


def _exact_accuracy(labels: np.ndarray, predictions: np.ndarray, positive: int) -> float:
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(labels, predictions))


def _exact_f1(labels: np.ndarray, predictions: np.ndarray, positive: int) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(labels, predictions, pos_label=positive, zero_division=0))


def _exact_f1_macro(labels: np.ndarray, predictions: np.ndarray, positive: int) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(labels, predictions, average="macro", zero_division=0))


def _exact_mcc(labels: np.ndarray, predictions: np.ndarray, positive: int) -> float:
    from sklearn.metrics import matthews_corrcoef

    if is_constant(labels) and np.array_equal(labels, predictions):
        return 0.0  # as scikit-learn has it, which warns about it
    return float(matthews_corrcoef(labels, predictions))


# Recorded values equal scikit-learn's to the last digit; the functions of the counts round differently.
_EXACT: dict[str, Callable[[np.ndarray, np.ndarray, int], float]] = {
    "accuracy": _exact_accuracy,
    "f1": _exact_f1,
    "f1_macro": _exact_f1_macro,
    "mcc": _exact_mcc,
}

CLASS_SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        ConfusionScore("accuracy", _accuracy),
        ConfusionScore("balanced_accuracy", _balanced_accuracy),
        ConfusionScore("f1", _f1),
        ConfusionScore("precision", _precision),
        ConfusionScore("recall", _recall),
        ConfusionScore("f1_macro", _f1_macro),
        CommonF1("f1_macro_common", _f1_macro),
        ConfusionScore("mcc", _mcc),
    )
}
