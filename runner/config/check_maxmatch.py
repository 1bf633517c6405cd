"""Refuses settings that contradict MaxMatch-Dropout, which tokenises texts differently in every epoch."""

from __future__ import annotations

from models.settings import FITTED, FITTED_HEAD
from models.views.settings import NONE
from runner.schema import Settings
from runner.tasks import likely_task


def maxmatch_conflicts(settings: Settings) -> list[str]:
    """Return one line if train.maxmatch_dropout is set, but training has no epochs or labels are not of whole texts."""
    model, share = settings.model, settings.train.maxmatch_dropout
    if not share:
        return []
    given, leave_out = f"train.maxmatch_dropout={share:g}", "Try: train.maxmatch_dropout=0"
    if settings.data.audio is not None:
        return [f"{given} is for texts, but data.audio={settings.data.audio} gives sounds. {leave_out}"]
    if model.family in FITTED or model.head == FITTED_HEAD:
        return [
            f"{given} splits texts differently in every epoch, but model={model.name} is fitted without epochs. "
            f"{leave_out}"
        ]
    task = likely_task(settings.task, settings.data)
    if task.input != "text" or task.reads != "text" or not task.needs_label:
        return [f"{given} moves the tokens that the task {task.name} has labels for. {leave_out}"]
    if settings.view.name != NONE:
        return [f"{given}: view={settings.view.name} reads texts unchanged, together with their codes. {leave_out}"]
    return []
