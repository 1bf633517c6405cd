"""The correlation of two views as what the training loop minimises and selects by."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch

from runner.training.two_views.correlation_task import CorrelationTask

SPLIT = cast(Any, None)  # nothing of it is read


def outputs(rows: int = 500) -> np.ndarray:
    random = np.random.default_rng(0)
    first = random.normal(size=(rows, 3))
    second = np.concatenate([first[:, :2], random.normal(size=(rows, 2))], 1)  # two dimensions are shared
    return np.concatenate([first, second], 1).astype(np.float32)


def test_shared_dimensions_are_found_in_an_output() -> None:
    task = CorrelationTask(width=3, k=3, ridge=0.0)
    found = task.evaluate(task.answers(outputs(), SPLIT), task.metrics)
    assert found["dimensions"] == 2 and found["corr_val"] == pytest.approx(2, abs=0.2)
    assert task.evaluated_loss(outputs(), SPLIT) == pytest.approx(-found["corr_val"])
    loss = task.loss(torch.from_numpy(outputs()), {}, None)
    assert float(loss) == pytest.approx(-found["corr_val"], abs=1e-6) and task.weight({}) == 1.0


def test_it_has_no_labels_no_head_and_no_teacher() -> None:
    task = CorrelationTask(width=3, k=3, ridge=0.0)
    with pytest.raises(TypeError, match="no head"):
        task.head()
    with pytest.raises(TypeError, match="no labels"):
        task.mean_loss(torch.zeros(1), torch.zeros(1))
    with pytest.raises(TypeError, match="no teacher"):
        task.match(torch.zeros(1), torch.zeros(1), {}, soft="kl", temperature=1.0)
    assert task.baseline(SPLIT, SPLIT, "corr_val") == 0.0
