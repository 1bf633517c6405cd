"""Checks of a second view that need data and model, made before the run folder exists."""

from __future__ import annotations

from data.splits import Splits
from models.heads.text import SequenceClassifier
from models.network import Network
from models.views.settings import DISTIL, NONE, TEXT, ViewSettings, fewest_held_out, smallest_batch
from runner.errors import ConfigError
from runner.tasks.base import Task


def check_view(view: ViewSettings, splits: Splits, task: Task, model: Network) -> list[str]:
    """Raise ConfigError if the text cannot learn from the codes of these rows; returns what the user is told."""
    if view.name == NONE:
        return []
    assert splits.paired is not None, "loaded with codes"
    if not task.has_probabilities or not isinstance(model, SequenceClassifier):
        raise ConfigError(
            f"view={view.name} is for one class per text, but the task here is {task.name}. "
            "Try: view=none, or data with classes"
        )
    if view.method == DISTIL or view.reads != TEXT:
        return []
    pairs, least = len(splits.paired.texts), smallest_batch(view.width)
    if pairs < least:
        raise ConfigError(
            f"view.width={view.width}: {pairs:,} training rows have a text and codes, but {least:,} are needed: with "
            f"fewer, independent views appear to correlate. Try: view.method={DISTIL}"
        )
    held_out, least = int(splits.paired.held_out[splits.select.name].has_codes.sum()), fewest_held_out(view.width)
    if held_out < least:
        raise ConfigError(
            f"view.width={view.width}: {held_out:,} {splits.select.name} rows have codes, but {least:,} are needed: by "
            "the correlation of fewer no epoch can be chosen. "
            f"Try: view.method={DISTIL}, a smaller view.width, or more such rows"
        )
    width = model.classifier.in_features
    if width >= view.k:
        return []
    return [f"{width} correlations instead of view.k={view.k}: the vectors of the texts have no more dimensions"]
