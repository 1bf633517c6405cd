"""Refuses tasks that no candidate of a search can learn; imported by the check of a command, so without torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runner.config.compose import compose
from runner.errors import ConfigError
from runner.tasks import named_task

if TYPE_CHECKING:
    from runner.tasks.base import Task

ABOUT_TASK = ("data=", "data.task=", "task=", "task.name=")  # the words that may name a task


def check_named_task(words: Sequence[str]) -> None:
    """Raise ConfigError for a task that the words of a command name and no candidate can learn.

    Words that do not compose are refused elsewhere.
    """
    try:
        config = compose([word for word in words if word.startswith(ABOUT_TASK)])
    except ConfigError:
        return
    if named := named_task(config.task, config.data):
        check_task(named)


def check_task(task: Task | type[Task]) -> None:
    """Raise ConfigError for a task without answers, and for one that needs an output per token: no candidate has that.

    task: of the data; or its class, before they are read.
    """
    if not task.is_deployed:
        raise ConfigError(
            f"run best compares models by their answers, so it does not search for {task.output_name} "
            f"(task={task.name}). Try: run -m task={task.name} model=bert-tiny,bert-mini, then run compare"
        )
    if task.reads == "tokens":
        raise ConfigError(
            f"run best compares models that answer for a whole text, but {task.output_name} answers for its tokens "
            f"(task={task.name}). Try: run -m model=bert-tiny,bert-mini, then run compare"
        )
