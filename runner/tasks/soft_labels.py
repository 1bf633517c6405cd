"""Refuses settings that turn a label into shares of several classes, for tasks without classes."""

from __future__ import annotations

from runner.schema import Settings


def soft_labels(settings: Settings, task: str) -> list[str]:
    """Return one line for each setting that needs one class a row, with the cure; task: the name of one without."""
    given = {
        "train.label_smoothing": settings.train.label_smoothing,
        "data.augment.mixup": settings.data.augment.mixup,
    }
    return [
        f"{key}={value:g}: needs one class per row, but the task is {task}. Try: {key}=0"
        for key, value in given.items()
        if value
    ]
