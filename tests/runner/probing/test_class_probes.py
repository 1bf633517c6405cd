"""A layer is compared with controls on the same rows, and with what is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from data.settings import DataSettings
from data.stores.build_once import SharedCache
from runner.probing.class_probes import control_rows, majority_share, rows_given
from runner.probing.probed import Models, open_probed
from runner.probing.rows import read_task
from runner.probing.wanted import LAYER_0, NO_BASE, Wanted
from runner.record.subject import Subject


def test_the_control_has_the_vectors_of_the_task_and_labels_of_first_tokens(place: Path, run_id: str) -> None:
    cache = SharedCache(place / "cache")
    wanted = Wanted(("demo",), ("mean", "cls"), (0, 1), "linear", (0,), False, True, False, LAYER_0, 1, "cpu")
    probed = open_probed(Subject(str(place / "outputs" / run_id / "model"), "tiny"), wanted, cache, torch.device("cpu"))
    task = read_task("demo", DataSettings(demo_rows=200), cache)
    rows, types = task.rows(probed, probed.network), task.types(probed)
    control = control_rows(rows, types, 0)
    assert np.array_equal(control["train"].vectors, rows["train"].vectors)
    tokens = task.tokens(probed)["train"]
    first = np.asarray(tokens.tokens)[tokens.offsets[:-1] + 1]
    for token in np.unique(first):
        assert len(set(control["train"].labels[first == token].tolist())) == 1

    given = rows_given(rows, task, Models(probed, None, None))
    assert given is not None and np.array_equal(given["report"].vectors[:, 0], rows["report"].vectors[:, 0])
    for pools, layers in ((("cls",), None), (("mean", "cls"), (2,))):  # where layer 0, or its mean, is not probed
        part = replace(probed, wanted=replace(wanted, pools=pools, layers=layers))
        known = rows_given(task.rows(part, part.network), task, Models(part, None, None))
        assert known is not None and np.array_equal(known["report"].vectors[:, 0], rows["report"].vectors[:, 0])
    nothing = replace(probed, wanted=replace(wanted, given=NO_BASE))
    assert rows_given(rows, task, Models(nothing, None, None)) is None
    other = rows_given(rows, task, Models(nothing, None, probed))
    assert other is not None and np.array_equal(other["report"].vectors[:, 0], rows["report"].vectors[:, -1])


def test_the_majority_is_that_of_the_training_rows() -> None:
    assert majority_share(np.array([0, 0, 1]), np.array([1, 1, 0, 1])) == 0.25
