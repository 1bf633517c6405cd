"""A misspelt setting in a sweep's claim is told before its runs, not after them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.sweep.claim_keys import unknown_keys
from runner.sweep.plan import Job
from tests.conftest import run_cli

TEXT = """# @package _global_
sweep:
  claims:
    - {claim: one, metric: test/accuracy, value: 0.5, where: {model.nmae: dsn}}
hydra: {sweeper: {params: {data: demo, seed: '0,1'}}}
"""


def jobs(*words: str) -> list[Job]:
    return [Job(0, list(words), settings=resolve(compose(list(words))))]


def claim(**changes: Any) -> dict[str, Any]:
    return {"claim": "one", "metric": "test/accuracy", "value": 0.5} | changes


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({"model.name": "dsn", "data.name": "demo", "compression": []}, []),
        ("model=dsn, data=demo", []),
        ({"model.nmae": "dsn"}, ["model.nmae, which a claim names; did you mean model.name"]),
        ("optimizer.rate=3", ["optimizer.rate, which a claim names"]),
    ],
)
def test_only_settings_that_no_run_has_are_told(where: Any, told: list[str]) -> None:
    found = unknown_keys(
        [claim(where=where), claim(where=where, why="not testable here")], jobs("model=dsn", "data=demo")
    )
    assert len(found) == len(told) and all(text in line for text, line in zip(told, found))


def test_both_groups_of_each_condition_are_looked_at() -> None:
    parts = [{"metric": "test/accuracy", "kind": "difference", "value": 0, "where": "model=dsn", "versus": "modle=dsn"}]
    (line,) = unknown_keys([{"claim": "one", "all": parts}], jobs("model=dsn", "data=demo"))
    assert "has the setting modle" in line


def test_a_plan_and_the_sweep_tell_it_and_go_on(tmp_path: Path) -> None:
    (tmp_path / "own/sweeps").mkdir(parents=True)
    (tmp_path / "own/sweeps/own.yaml").write_text(TEXT, encoding="utf-8")
    words = ["--config-dir", "own", "+sweep=own", "data.demo_rows=60", "measure=off", "tracker=none"]
    for first in ("plan", "-m"):
        done = run_cli(first, *words, cwd=tmp_path)
        assert done.returncode == 0 and "has the setting model.nmae" in done.stdout, done.stderr
