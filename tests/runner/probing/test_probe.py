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


def test_a_hundred_rows_of_many_numbers_are_not_answered_by_the_majority_class() -> None:
    drawn = np.random.default_rng(1)
    centres = drawn.normal(size=(6, 1, 384)) * 0.1

    def rows(count: int) -> Rows:
        labels = drawn.integers(0, 6, count)
        return Rows(centres[labels] + drawn.normal(size=(count, 1, 384)), labels)

    train, select, report = rows(100), rows(100), rows(1000)
    probes = fit_probes(train, select, 6, ProbeOptions(), 0)
    # Such rows are soon memorised, and then answered wrongly with confidence: the lowest loss comes after a few steps.
    assert probes.losses(report)[0] < np.log(6) - 0.08
    assert probes.is_right(report).mean() > 0.28


@pytest.mark.parametrize(
    ("rows", "steps", "evaluations", "patience"), [(100, 2, 1000, 50), (2600, 10, 200, 10), (9000, 35, 100, 5)]
)
def test_a_probe_is_evaluated_after_each_epoch_and_waits_for_a_hundred_steps(
    rows: int, steps: int, evaluations: int, patience: int
) -> None:
    plan = ProbeOptions().plan(rows)
    assert (ProbeOptions().steps(rows), plan.evaluations, plan.patience) == (steps, evaluations, patience)
