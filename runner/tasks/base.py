"""A task: all that the runner asks about what is learned.

One class per task; nothing else compares its name. The same object is made from the data of a run and from its record,
so it holds facts, neither data nor a model. Only `loss`, `match` and `keep` import torch: records are shown without.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from data.errors import DataError
from data.json_types import JsonObject
from data.targets.class_weights import class_weights, weight_of
from models.heads.base import HeadSpec
from runner.statistics.answers import Answers
from runner.statistics.score_table import OF_ONE_CLASS
from runner.statistics.scores import Score
from runner.tasks.facts import LabelFacts as LabelFacts

if TYPE_CHECKING:
    from torch import Tensor

    from data.batch import Batch
    from data.inputs.request import Asked, Field
    from data.settings import DataSettings
    from data.splits import TokenSplit
    from runner.schema import Settings


class Task(ABC):
    """A task: its loss, scores, baseline and stored answers.

    An item is what one output of the model answers: a row, or a token of it. Outputs are (items, C), in row order.
    """

    name: ClassVar[str]  # in records
    target: ClassVar[str]  # of data/targets/
    scores: ClassVar[Mapping[str, Score]]
    stored: tuple[str, ...] = ("label", "prediction")  # columns of the stored answers that scores read
    truth: tuple[str, ...] = ("label",)  # those of these columns that are the same for every model
    baseline_name: ClassVar[str] = "baseline"  # name of the baseline score, in tables
    always_scored: ClassVar[tuple[str, ...]] = ()  # scores in every evaluation, whatever data.metrics names
    grades_texts: ClassVar[bool] = False  # are its answers texts, each with a grade 0..1 among the stored columns?
    evaluates_in_fp32: ClassVar[bool] = False  # whatever train.precision is: does it sort by scores that bf16 rounds?
    keeps_rows: ClassVar[bool] = False  # does `keep` return one line a row, although a row has several outputs?
    input: ClassVar[str] = "text"  # of data/inputs/questions.py
    reads: ClassVar[str] = "text"  # what its head reads of a readout: text | tokens
    needs_label: ClassVar[bool] = True  # does data.label name a column that it learns?
    weighs_classes: ClassVar[bool] = False  # does its loss take data.class_weights, of one class an item?
    is_deployed: ClassVar[bool] = True  # can its models be exported and queried?
    reader: ClassVar[str] = "onnx"  # of its graphs in bundles and pages (KINDS of bundle/predict.py)
    smooths_labels: ClassVar[bool] = False  # does its loss take train.label_smoothing, and labels that are shares?
    losses: ClassVar[tuple[str, ...]] = ()  # values of train.loss beside auto, where there is a choice
    cosine_losses: ClassVar[tuple[str, ...]] = ()  # values of train.loss for a cosine; the first is what auto means
    soft_losses: ClassVar[tuple[str, ...]] = ("kl", "cross_entropy")  # values of compression.distil.soft
    has_probabilities: ClassVar[bool] = False  # are its outputs logits of classes, one of which is right for a row?
    has_label_sets: ClassVar[bool] = False  # may any number of its classes be right for a row, each by a sigmoid?
    decided_by: ClassVar[tuple[str, ...]] = ()  # settings that answers to be compared must share
    undecided: ClassVar[tuple[str, ...]] = ()  # scores for which they need not
    asked_together: ClassVar[int] = 0  # number of second texts that are scored with one first text, and timed; 0: none
    output_name: ClassVar[str] = "a classifier"  # in messages
    examples: ClassVar[tuple[str, ...]] = ("a text", "a second text")  # of its input, in the command to try next

    def __init__(self, facts: LabelFacts | None = None) -> None:
        self.facts = facts or LabelFacts()

    # Settings

    @classmethod
    def conflicts(cls, settings: Settings) -> list[str]:
        """Return one line for every pair of settings that this task forbids, with the cure."""
        return []

    @classmethod
    def adapt(cls, settings: Settings) -> None:
        """Reset those settings of the dataset that have no meaning for this task."""
        return

    @classmethod
    @abstractmethod
    def default_metrics(cls, classes: int) -> tuple[str, ...]:
        """Return the scores where data.metrics names none; classes: their number, 0 without."""

    @classmethod
    def metrics_by(cls, data: DataSettings) -> tuple[str, ...]:
        """Return the scores of a run as far as they are known before the data are read."""
        return cls(LabelFacts(metrics=tuple(data.metrics))).metrics

    @property
    def metrics(self) -> tuple[str, ...]:
        """The scores of a run; the first selects the best epoch and is the headline."""
        return self.facts.metrics or self.default_metrics(len(self.facts.names))

    @property
    def always_recorded(self) -> tuple[str, ...]:
        """The scores that every finished run has, whatever data.metrics names."""
        return self.always_scored

    def check(self) -> Self:
        """Return the task; raise DataError for a score that it cannot have."""
        classes = len(self.facts.names)
        for name in self.metrics:
            if name not in self.scores:
                raise DataError(
                    f"data.metrics: {name} is not a score of {self.name} (those are {', '.join(self.scores)}). "
                    f"Try: 'data.metrics=[{next(iter(self.scores))}]'"
                )
            if name in OF_ONE_CLASS and classes != 2:
                problem = f"data.metrics: {name} is defined for two classes, not for {classes}"
                raise DataError(f"{problem}. Try: 'data.metrics=[f1_macro]'")
        return self

    def unweighted(self) -> Self:
        """Return the same task with classes that weigh the same, and with labels as they are."""
        return type(self)(replace(self.facts, class_weights=None, label_smoothing=0.0))

    @classmethod
    def class_weights_of(cls, kind: str, labels: np.ndarray, classes: int) -> np.ndarray:
        """Return the weights that data.class_weights names, (C,) float32, from the training labels."""
        return class_weights(kind, labels, classes)

    # Training

    @abstractmethod
    def head(self) -> HeadSpec:
        """Return the head that answers this task."""

    def output_bias(self, train: TokenSplit) -> np.ndarray | None:
        """Return the bias that a fresh head starts from, (outputs,); None for the one that the seed draws."""
        return None

    @abstractmethod
    def mean_loss(self, output: Any, labels: Tensor) -> Tensor:
        """Return the mean loss over the items, a scalar; output: (items, C), labels: (items,) or (items, columns)."""

    def loss(self, output: Any, targets: Mapping[str, Tensor], known: np.ndarray | None = None) -> Tensor:
        """Return the mean loss over the items; one without a label counts in the mean and adds nothing.

        known: (items,) which have a label, None for all.
        """
        labels = targets["labels"]
        if known is None:
            return self.mean_loss(output, labels)
        chosen = labels.new_tensor(known).bool()
        loss: Tensor = self.mean_loss(output[chosen], labels[chosen]) if known.any() else output.sum()
        return loss * float(known.mean())

    def stage_loss(self, output: Any, targets: Mapping[str, Tensor]) -> Tensor:
        """Return the mean loss that a compression stage sees, a scalar; all items have a label."""
        return self.loss(output, targets)

    def items(self, targets: Mapping[str, np.ndarray], known: np.ndarray | None = None, soft: str = "kl") -> float:
        """Return how many items of a part of a batch `match` takes its mean over; known: as in `loss`, counts these."""
        return float(len(targets["labels"]) if known is None else known.sum())

    def weight(self, targets: Mapping[str, np.ndarray], known: np.ndarray | None = None) -> float:
        """Return the weight of these items in the mean loss: their number, or the sum of their class weights."""
        weights = self.facts.class_weights
        return self.items(targets, known) if weights is None else weight_of(targets["labels"], weights, known)

    @abstractmethod
    def match(
        self, student: Tensor, teacher: Tensor, targets: Mapping[str, Tensor], *, soft: str, temperature: float
    ) -> Tensor:
        """Return how far the outputs (items, C) are from a teacher's, a scalar: the mean over the items.

        targets: of the batch, for a task whose items are compared with those of their group, as a span's tokens are.
        soft: kl | cross_entropy, of probabilities softened by `temperature`.
        """

    # Evaluation

    def keep(self, output: Any, batch: Batch) -> Tensor:
        """Return what evaluation keeps of a batch's outputs, (items, K) float32 in the order of the rows."""
        kept: Tensor = output.float()
        return kept

    @abstractmethod
    def answers(self, kept: np.ndarray, split: TokenSplit) -> Answers:
        """Return the answers to a split from what `keep` kept, (items, K); raise ValueError if that is not finite."""

    def fitted(self, kept: np.ndarray, split: TokenSplit) -> Self:
        """Return the task with what it fits to the outputs of the selection split, such as thresholds."""
        return self

    def variants(self, kept: np.ndarray, split: TokenSplit) -> Mapping[str, Task]:
        """Return other ways to answer, by the endings of their scores (`f1_micro_at_half`).

        Those of `always_scored` are recorded. kept, split: as for `fitted`.
        """
        return {}

    def reader_facts(self, *, are_fitted: bool = False) -> JsonObject:
        """Return what turns outputs into answers without Bertier: thresholds of labels, rules of spans, tags.

        are_fitted: before a training, numbers as long as fitted ones will be, to predict a file's size.
        """
        return {}

    def unfitted(self, split: TokenSplit) -> list[str]:
        """Return the classes that `fitted` can fit nothing to, because no row of the selection split has them."""
        return []

    def named(self, answers: Answers) -> Answers:
        """Return answers that were read from a file with what the task knows of their classes."""
        return replace(answers, positive=self.facts.positive, names=self.facts.names)

    def columns_to_store(self, kept: np.ndarray, answers: Answers) -> dict[str, np.ndarray]:
        """Return the columns of predictions-<split>.parquet, (items,) each."""
        return {**answers.columns} | {f"logit_{i}": kept[:, i] for i in range(kept.shape[1])}

    def evaluate(self, answers: Answers, names: Sequence[str]) -> dict[str, float]:
        """Return the named scores, in this order; raise KeyError for a score that the task does not have."""
        return {name: self.score(name).value(answers) for name in names}

    def score(self, name: str) -> Score:
        """Return a score by its name; KeyError naming those of the task."""
        if name not in self.scores:
            raise KeyError(f"unknown score '{name}' for {self.name}; known: {', '.join(self.scores)}")
        return self.scores[name]

    @abstractmethod
    def evaluated_loss(self, kept: np.ndarray, split: TokenSplit) -> float:
        """Return the mean loss of an item of the split, without class weights."""

    @abstractmethod
    def baseline(self, train: TokenSplit, split: TokenSplit, score: str) -> float:
        """Return the score on `split` of a model that has learned nothing but what answers occur in `train`."""

    def baselines(self, train: TokenSplit, split: TokenSplit, score: str) -> dict[str, float]:
        """Return further baseline scores on `split`, by name; recorded as baseline/<name>."""
        return {}

    def constant_baseline(self, split: TokenSplit, score: str) -> float:
        """Return the score on `split` of one answer for all items: a teacher of another task scores at most that."""
        return self.baseline(split, split, score)

    def is_constant(self, answers: Answers) -> bool | None:
        """Return whether all items got the same answer; None for a task in which that has no meaning."""
        return None

    def report(self, answers: Answers) -> dict[str, Any] | None:
        """Return the scores of each class, with the fields of a record's ClassReport; None without classes."""
        return None

    def diverged(
        self, train: TokenSplit, select: TokenSplit, scores: Mapping[str, float], loss: float | None
    ) -> bool | None:
        """Return whether a finished training learned nothing; None if that is unknown.

        scores: of the last evaluation of `select`, those of `always_scored`. loss: of training at its end, nats.
        """
        return None

    def diverged_answers(self, answers: Answers) -> bool:
        """Return whether the final answers to the selection split alone show that nothing was learned."""
        return False

    def tolerance(self, share: float) -> float:
        """Return how far two outputs may be apart that should be equal except for rounding, `share` of their scale."""
        return self.facts.scale.tolerance(share) if self.facts.scale else share

    def least_gain(self, score: str, share: float) -> float:
        """Return `share` of a score in its own unit: a trained model's least gain over the baseline."""
        return share

    # Deployment

    def answer_fields(self) -> tuple[Field, ...]:
        """Return the fields of an answer, `prediction` first; () for a task that is not deployed."""
        return ()

    def respond(self, kept: np.ndarray, asked: Asked) -> list[dict[str, Any]]:
        """Return one answer for each question, with the fields of `answer_fields`, from its outputs (items, C)."""
        raise TypeError(f"{self.output_name} is not deployed")

    # Sentences

    def unit(self, max_length: int) -> str:
        """Return the word for the rows of a split."""
        return "rows"

    def describe(self, train: TokenSplit) -> str:
        """Return a line about the training labels."""
        return f"task: {self.name}"

    @classmethod
    def remarks(cls, split: str, metrics: Mapping[str, float]) -> list[str]:
        """Return remarks that a user should read with the scores of a split; metrics: of the run."""
        return []

    @classmethod
    def constant_sentence(cls, split: str) -> str:
        """Return a sentence about a model that gave every row of `split` the same answer."""
        return f"the model gives every row of {split} the same answer"
