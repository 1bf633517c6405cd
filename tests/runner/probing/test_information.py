"""A layer adds nothing to itself, and a bit to a silent one."""

from __future__ import annotations

import numpy as np

from runner.probing.information import information
from runner.probing.probe import Rows, Splits
from tests.runner.probing.rows import SAID, SILENT, made_splits


def only(rows: Splits, layer: int) -> Splits:
    return {which: Rows(one.vectors[:, layer : layer + 1], one.labels) for which, one in rows.items()}


def test_a_layer_adds_what_is_not_known_yet() -> None:
    rows = made_splits(600)
    beyond_silent = information(rows, only(rows, SILENT), 2, "linear", 0)
    assert beyond_silent[SAID] > 0.5, "of at most log(2) = 0.69 nats"
    assert abs(beyond_silent[SILENT]) < 0.05
    assert (np.abs(information(rows, only(rows, SAID), 2, "linear", 0)) < 0.05).all()
