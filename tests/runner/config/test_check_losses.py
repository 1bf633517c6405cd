"""Losses, and softened labels, that a task does not have."""

from __future__ import annotations

import pytest

from runner.config.check import check_overrides


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["task=mlm", "model=bert-tiny", "data=demo", "train.label_smoothing=0.1"],
            "train.label_smoothing=0.1: needs one",
        ),
        (["task=mlm", "model=bert-tiny", "data=demo", "train.r_drop=1"], "which the task mlm cannot"),
        (["data=demo", "model=ngram", "train.r_drop=1"], "model=ngram is fitted without"),
        (["data=demo", "model=bert-tiny", "train.loss=pairwise"], "the task classification has one loss"),
    ],
)
def test_a_loss_that_the_task_does_not_have_is_refused(words: list[str], message: str) -> None:
    assert message in "\n".join(check_overrides(words))


def test_labels_of_classes_are_smoothed() -> None:
    assert check_overrides(["data=demo", "model=bert-tiny", "train.label_smoothing=0.1"]) == []
