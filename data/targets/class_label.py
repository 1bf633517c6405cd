"""One of several classes as the label of a row."""

from __future__ import annotations

from data.targets.base import Target


class ClassLabel(Target):
    """Each row has one of several classes."""

    name = "class_label"
