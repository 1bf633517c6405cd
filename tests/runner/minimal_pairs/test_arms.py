"""Runs that differ in the seed alone are one arm; arms are compared over seeds, single models over pairs."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from runner.minimal_pairs.arms import Arm, arms_of
from runner.minimal_pairs.results import PairReport, PairTable
from runner.minimal_pairs.show import show_arms
from runner.record.subject import Subject
from tests.runner.compare.folders import typed, write_group
from tests.runner.minimal_pairs.test_results import report, table


def result(accuracy: float) -> tuple[PairReport, PairTable]:
    outcomes = np.concatenate([np.arange(40) < round(accuracy * 40)] * 2).astype(float)
    return replace(report(), whole=replace(report().whole, accuracy=accuracy)), table(outcomes)


def arms(tmp_path: Path) -> list[Arm]:
    records = [
        *write_group(tmp_path, "model=dsn", right=[150, 151]),
        *write_group(tmp_path, "model=bert-tiny", right=[150, 151]),
    ]
    subjects = [Subject(record.identity, record.name, tmp_path, record) for record in typed(records)]
    elsewhere = Subject("some/model", "some/model")
    return arms_of([*subjects, elsewhere], [result(share) for share in (0.5, 0.6, 0.8, 0.85, 0.9)])


def test_runs_are_grouped_by_what_tells_them_apart(tmp_path: Path) -> None:
    first, second, other = arms(tmp_path)
    assert [(arm.name, sorted(arm.results)) for arm in (first, second, other)] == [
        ("model=dsn", [0, 1]), ("model=bert-tiny", [0, 1]), ("some/model", [0]),
    ]  # fmt: skip
    assert second.mean == pytest.approx(0.825)
    assert second.interval == pytest.approx((0.825 - 0.3177, 1.0), abs=1e-3), (
        "t with one degree of freedom, within 0..1"
    )
    assert other.interval == (0.65, 0.85), "one model has that of its pairs"
    assert second.baseline("shorter") == 0.5 and second.baseline("unigrams") == pytest.approx(0.6)


def test_arms_are_compared_over_seeds_and_single_models_over_pairs(tmp_path: Path) -> None:
    first, second, other = arms(tmp_path)
    seeds, pairs = second.against(first), other.against(first)
    assert seeds.mean == pytest.approx(0.275)
    assert seeds.low == pytest.approx(0.275 - 0.3177, abs=1e-3)
    assert pairs.mean == pytest.approx(other.mean - first.mean) == pytest.approx(0.35), "of the accuracies in the table"
    assert 0.2 < pairs.low < 0.35 and pairs.p < 0.01


def test_the_table_fits_a_terminal(tmp_path: Path) -> None:
    stream = io.StringIO()
    show_arms(arms(tmp_path), Console(file=stream, width=80, force_terminal=True, color_system=None))
    text = stream.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert "+0.275" in text and "some/model" in text and "0.825" in text


def test_p_values_are_corrected_for_the_models_of_the_table(tmp_path: Path) -> None:
    first, second, other = arms(tmp_path)
    stream = io.StringIO()
    show_arms([first, second, other], Console(file=stream, width=120, color_system=None))
    shown = {line.split()[0]: line.split()[-1] for line in stream.getvalue().splitlines() if "+0." in line}
    least = other.against(first).p
    assert shown["some/model"] == f"{2 * least:.3f}" != f"{least:.3f}", "two tests: the smaller p counts twice"
    assert shown["model=bert-tiny"] == f"{second.against(first).p:.3f}", "and the larger once"
