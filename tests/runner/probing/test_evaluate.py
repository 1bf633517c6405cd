"""A layer is compared with controls on the same rows, and with what is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from data.settings import DataSettings
from data.stores.build_once import SharedCache
from runner.probing.evaluate import control_rows, open_probed, vectors_given
from runner.probing.rows import read_task
from runner.probing.wanted import LAYER_0, NO_BASE, Wanted
from runner.record.subject import Subject


def test_the_control_has_the_vectors_of_the_task_and_labels_of_first_tokens(place: Path, run_id: str) -> None:
    cache = SharedCache(place / "cache")
    wanted = Wanted(("demo",), ("mean", "cls"), (0, 1), "linear", (0,), False, True, False, LAYER_0, 1, "cpu")
    probed = open_probed(Subject(str(place / "outputs" / run_id / "model"), "tiny"), wanted, cache, torch.device("cpu"))
    assert [cell.name for cell in probed.cells] == ["mean_0", "mean_1", "cls_0", "cls_1"]
    task = read_task("demo", DataSettings(demo_rows=200), cache)
    tokens = probed.tokens(task)
    rows = probed.vectors(tokens)
    control = control_rows(rows, tokens, probed)
    assert np.array_equal(control["train"].vectors, rows["train"].vectors)
    first = np.asarray(tokens["train"].tokens)[tokens["train"].offsets[:-1] + 1]
    for token in np.unique(first):
        assert len(set(control["train"].labels[first == token].tolist())) == 1

    given = vectors_given(rows, probed, None, task)
    assert given is not None and np.array_equal(given["report"].vectors[:, 0], rows["report"].vectors[:, 0])
    nothing = replace(probed, wanted=replace(wanted, given=NO_BASE))
    assert vectors_given(rows, nothing, None, task) is None
    other = vectors_given(rows, nothing, probed, task)
    assert other is not None and np.array_equal(other["report"].vectors[:, 0], rows["report"].vectors[:, -1])
