"""All targets by name, and the choice of the one that fits a column of labels."""

from __future__ import annotations

from data.settings import DataSettings
from data.targets.base import ColumnTarget, Target
from data.targets.class_label import ClassLabel
from data.targets.label_column import LabelColumn, refuse_lists
from data.targets.label_set import LabelSet
from data.targets.masked_words import MaskedWords
from data.targets.number import Number
from data.targets.relevance import Relevance
from data.targets.span import Span
from data.targets.tags import Tags

TARGETS: dict[str, type[Target]] = {
    target.name: target for target in (MaskedWords, Tags, Span, Relevance, LabelSet, Number, ClassLabel)
}


def column_target(settings: DataSettings, column: LabelColumn, where: str, wanted: str = "auto") -> ColumnTarget:
    """Create the target for the training labels in `column`; DataError if they do not fit.

    wanted: the name of the target; auto: the first, in the order of TARGETS, that accepts them. where: these rows'
    name in messages.
    """
    chosen = next(
        target
        for name, target in TARGETS.items()
        if issubclass(target, ColumnTarget)
        and (name == wanted if wanted in TARGETS else target.reads(settings, column))
    )
    if not chosen.reads_lists:
        refuse_lists(column, where)
    return chosen.of(settings, column, where)
