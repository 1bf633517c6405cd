"""The mix finds the layer that says the label, and gives it the weight."""

from __future__ import annotations

import numpy as np
import pytest

from runner.probing import probe
from runner.probing.features import Cell
from runner.probing.mix import mixes_of
from runner.probing.results import Mix
from tests.runner.probing.rows import SAID, SILENT, made_splits


def test_the_layer_that_says_the_label_has_the_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "EVALUATIONS", 10)
    rows, cells = made_splits(), [Cell("mean", 0), Cell("mean", 1)]
    (mix,) = mixes_of(rows, cells, 2, "linear", "quick", (0,))
    assert mix.accuracy > 0.95 and mix.low < mix.accuracy <= mix.high
    assert mix.layers == [0, 1] and sum(mix.weights) == pytest.approx(1)
    assert mix.weights[SAID] > mix.weights[SILENT]


def test_poolings_have_a_mix_each_and_one_layer_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "EVALUATIONS", 1)
    rows = made_splits()
    assert mixes_of(rows, [Cell("mean", 2), Cell("readout", 2)], 2, "linear", "quick", (0,)) == []
    twice = {
        which: probe.Rows(np.concatenate([one.vectors, one.vectors], 1), one.labels) for which, one in rows.items()
    }
    cells = [Cell(pool, layer) for pool in ("mean", "cls") for layer in (0, 1)]
    assert [mix.pool for mix in mixes_of(twice, cells, 2, "mlp", "quick", (0, 1))] == ["mean", "cls"]


def test_the_centre_is_the_mean_of_layers_by_weight() -> None:
    mix = Mix("word", [0, 1, 2], [0.5, 0.25, 0.25], 0.9, 0.85, 0.95)
    assert mix.centre == 0.75
    assert mix.words == "the mix over layers, word: 0.900 [0.850, 0.950], centre at layer 0.75, weights 0.50 0.25 0.25"
