"""Refuses data.truncate=middle where rows are not whole texts that lose tokens."""

from __future__ import annotations

from models.settings import HASHED_WORDS
from runner.schema import Settings
from runner.tasks import named_task


def truncate_conflicts(settings: Settings) -> list[str]:
    """Return one line if data.truncate is set for rows that it cannot apply to."""
    data, model = settings.data, settings.model
    if data.truncate == "end":
        return []
    given, leave_out = f"data.truncate={data.truncate}", "Try: data.truncate=end"
    task = named_task(settings.task, data)
    if data.audio is not None:
        return [f"{given} is for texts, but data.audio={data.audio} gives sounds. {leave_out}"]
    if task and (task.input != "text" or not task.needs_label):
        return [f"{given} is for texts with one answer each, but task={task.name} reads long texts whole. {leave_out}"]
    if model.tokenizer.partition(":")[0] == HASHED_WORDS:
        cure = "Try: model.whole=true, or data.truncate=end"
        return [f"{given} removes word pieces, but model={model.name} reads words. {cure}"]
    return []
