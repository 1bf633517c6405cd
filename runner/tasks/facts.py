"""The facts about labels that a task is made from: of the data of a run, of its record, or of an export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from data.splits import TargetScale


@dataclass(frozen=True)
class LabelFacts:
    """The labels as a task knows them.

    names: of the classes, in id order; () without. positive: of two classes, the one that F1, precision and recall are
    for. scale: mean and standard deviation of targets that training standardises. metrics: those that data.metrics
    names, () for the task's own. class_weights: (C,) of the classes in the loss, None if all weigh the same.
    output: where the output table of words comes from (task.output). columns: where an item has several labels, the
    number of classes of each, whose names follow one another in `names`. language: of words without marks and capitals.
    has_empty: is no answer the right one for some rows? null_threshold: how far its score must be above the best
    answer's. max_answer: tokens of the longest answer.
    threshold: of sets of labels, how they are decided (data.threshold); thresholds: (C,) those that were fitted.
    loss_reduction: of sets of labels (task.loss_reduction).
    loss: the value of train.loss. label_smoothing: the share of a label that training gives to all classes alike.
    relevant_from: the lowest gain of a relevant document. passages: how those of a document make its score
    (data.passages).
    """

    names: tuple[str, ...] = ()
    positive: int = 1
    scale: TargetScale | None = None
    metrics: tuple[str, ...] = ()
    class_weights: np.ndarray | None = None
    output: str = "tied"
    columns: tuple[int, ...] = ()
    language: str = ""
    has_empty: bool = False
    null_threshold: float = 0.0
    max_answer: int = 30
    threshold: str = "0.5"
    thresholds: tuple[float, ...] = ()
    loss_reduction: str = "mean"
    loss: str = "auto"
    label_smoothing: float = 0.0
    relevant_from: float = 1.0
    passages: str = "max"
