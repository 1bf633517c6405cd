"""The yardstick that a finished model is timed beside."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from runner.experiment.results import build_yardstick
from runner.tasks.base import LabelFacts, Task
from runner.tasks.mlm import MaskedWords
from runner.tasks.tags import Tags


@pytest.mark.parametrize(
    ("task", "outputs"), [(MaskedWords(), (1, 1)), (Tags(LabelFacts(("O", "B-X", "I-X"))), (1, 4, 3))]
)
def test_the_yardstick_is_a_classifier_unless_the_task_reads_tokens(task: Task, outputs: tuple[int, ...]) -> None:
    """With the scores of all words at all positions it would time the vocabulary, not the machine."""
    prepared: Any = SimpleNamespace(
        settings=SimpleNamespace(measure=SimpleNamespace(baseline="bert-tiny")),
        splits=SimpleNamespace(
            task=SimpleNamespace(num_labels=max(1, len(task.facts.names))),
            tokenizer=SimpleNamespace(vocab_size=50, pad_id=0),
        ),
        task=task,
        model=SimpleNamespace(longest_input=lambda: 128),
        device=torch.device("cpu"),
    )
    found = build_yardstick(prepared)
    assert found is not None
    assert found(torch.tensor([[5, 6, 7, 8]])).shape == outputs
