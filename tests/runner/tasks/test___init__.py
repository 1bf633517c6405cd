"""Tasks by their names: those that settings name, and those that a record names."""

from __future__ import annotations

import pytest

from data.settings import DataSettings, TaskSettings
from runner.tasks import TASKS, find_task, likely_task, named_task, task_class


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_found_by_its_name(name: str) -> None:
    assert task_class(name).name == name
    assert find_task(name) is task_class(name)


def test_unknown_tasks_are_refused_or_not_found() -> None:
    assert find_task("of_a_later_version") is None
    with pytest.raises(KeyError, match="known: classification"):
        task_class("of_a_later_version")


def test_the_task_of_settings() -> None:
    assert named_task(TaskSettings(), DataSettings()) is None, "the labels decide"
    assert likely_task(TaskSettings(), DataSettings()) is task_class("classification")
    assert named_task(TaskSettings(), DataSettings(task="tags")) is task_class("tags")
    assert named_task(TaskSettings(name="mlm"), DataSettings(task="regression")) is task_class("mlm")
