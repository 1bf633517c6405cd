"""Probes of several layers at once: each learns what its own layer says."""

from __future__ import annotations

import numpy as np
import pytest

from runner.probing.probe import LINEAR, MLP, ProbeOptions, Rows, fit_probes
from tests.runner.probing.rows import SAID, SILENT, made_rows, made_splits


@pytest.mark.parametrize("form", [LINEAR, MLP])
def test_a_layer_that_says_the_label_is_read_and_a_silent_one_is_not(form: str) -> None:
    rows = made_splits()
    accuracy = fit_probes(rows["train"], rows["select"], 2, ProbeOptions(form), 0).is_right(rows["report"]).mean(1)
    assert accuracy[SAID] > 0.97
    assert 0.38 < accuracy[SILENT] < 0.62


def test_constant_and_half_precision_vectors_are_no_trouble() -> None:
    rows = made_splits()
    flat = {which: Rows(np.zeros_like(one.vectors, np.float16) + 7, one.labels) for which, one in rows.items()}
    probes = fit_probes(flat["train"], flat["select"], 2, ProbeOptions(), 0)
    majority = np.mean(rows["report"].labels == np.bincount(rows["train"].labels).argmax())
    assert np.allclose(probes.is_right(flat["report"]).mean(1), majority)


def test_the_same_seed_has_the_same_probes() -> None:
    rows = made_splits()
    first, second = (fit_probes(rows["train"], rows["select"], 2, ProbeOptions(), 3) for _ in range(2))
    assert np.array_equal(first.losses(rows["report"]), second.losses(rows["report"]))


def test_a_probe_keeps_its_own_best_epoch() -> None:
    rows = {which: made_rows(40, seed) for seed, which in enumerate(("train", "select", "report"))}
    probes = fit_probes(rows["train"], rows["select"], 2, ProbeOptions(), 0)
    # Forty rows of noise are memorised within forty epochs: the silent layer must have stopped early.
    assert probes.losses(rows["select"])[SILENT] < 0.9
    assert probes.losses(rows["select"])[SAID] < 0.3
