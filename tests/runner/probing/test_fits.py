"""All probes of a task: the penalty that suits a layer, and an interval over rows and seeds."""

from __future__ import annotations

import numpy as np
import pytest

from runner.probing import probe
from runner.probing.fits import PENALTIES, bits_per_label, fit_all, interval
from tests.runner.probing.rows import SAID, SILENT, made_splits


def test_every_layer_has_its_penalty_and_every_seed_its_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "LOOKS", 20)  # enough for 300 rows of eight numbers
    rows = made_splits()
    found = fit_all(rows, 2, "linear", (0, 1))
    assert found.is_right.shape == (2, 2, 300)
    assert set(found.penalties.tolist()) <= set(PENALTIES)
    assert found.accuracy[SAID] > 0.97 > 0.7 > found.accuracy[SILENT]
    bits = bits_per_label(rows, 2, "linear", 0, np.array(PENALTIES))
    assert bits[SAID] < 0.5 < 0.9 < bits[SILENT]


def test_the_interval_holds_that_over_rows_and_that_over_seeds() -> None:
    row = np.arange(100) < 80
    alone = interval(row[None])
    assert np.allclose(alone, (0.711, 0.867), atol=0.001), "Wilson's, of one seed"
    apart = interval(np.array([np.arange(100) < 70, np.arange(100) < 90]))
    assert apart[0] < alone[0] and apart[1] > alone[1]
