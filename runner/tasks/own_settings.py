"""Settings of the data that only one task reads. Nothing heavy is imported."""

from __future__ import annotations

from data.settings import DataSettings, TaskSettings
from runner.tasks import named_task

OWN = {  # by task: settings below data.
    "rank": ("negatives", "relevant_from", "passages"),
    "span": ("overlap", "null_threshold", "max_answer", "find", "bad_spans"),
    "multilabel": ("threshold", "rare", "empty"),
    "regression": ("standardize",),
}
KEYS = {"regression": "data.task"}  # the setting that asks for a task, where it is not `task`
FOUND = ("multilabel", "regression")  # tasks that the labels may turn out to be of


def unread_settings(task: TaskSettings, data: DataSettings) -> dict[str, str]:
    """Return the settings that the task of a run does not read, each with the task that does, as it is asked for.

    Where the labels decide, those of a task that they may be of are left out.
    """
    named = named_task(task, data)
    read = FOUND if named is None else (named.name,)
    return {
        f"data.{setting}": f"{KEYS.get(name, 'task')}={name}"
        for name, settings in OWN.items()
        if name not in read
        for setting in settings
    }
