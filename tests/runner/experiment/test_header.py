"""The record of a run before its first step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from data.splits import DataTask
from runner.experiment.header import data_facts
from runner.schema import Settings
from runner.tasks.base import LabelFacts, Task
from runner.tasks.classification import Classification
from runner.tasks.tags import Tags
from tests.data.helpers import tagged_split


@pytest.mark.parametrize(("kind", "positive"), [(Classification, "COMMA"), (Tags, None)])
def test_only_a_task_with_scores_of_one_class_has_a_positive_class(kind: type[Task], positive: str | None) -> None:
    names, split = ("O", "COMMA"), tagged_split()
    splits = SimpleNamespace(
        apart=None,
        task=DataTask(kind.target, names, is_pair=False), train=split, select=split, report=[split], fingerprint="",
        fingerprints={}, dropped={}, duplicates={},
    )  # fmt: skip
    prepared: Any = SimpleNamespace(settings=Settings(), splits=splits, task=kind(LabelFacts(names)), stage_inputs={})
    assert data_facts(prepared).positive == positive
