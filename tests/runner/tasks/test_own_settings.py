"""Settings of one task."""

from __future__ import annotations

from dataclasses import fields

from data.settings import DataSettings, TaskSettings
from runner.tasks import TASKS
from runner.tasks.own_settings import FOUND, OWN, unread_settings


def test_the_settings_exist_and_each_is_of_one_task() -> None:
    every = [name for names in OWN.values() for name in names]
    assert len(every) == len(set(every)) and set(every) <= {field.name for field in fields(DataSettings)}
    assert {*OWN, *FOUND} <= {*TASKS}


def test_a_task_does_not_read_the_settings_of_others() -> None:
    rank = unread_settings(TaskSettings(name="rank"), DataSettings())
    assert (
        "data.negatives" not in rank
        and rank["data.threshold"] == "task=multilabel"
        and rank["data.standardize"] == "data.task=regression"
    )


def test_where_labels_decide_the_settings_of_tasks_that_they_may_be_of_count_as_read() -> None:
    found = unread_settings(TaskSettings(), DataSettings())
    assert set(found.values()) == {"task=rank", "task=span"}
