"""The recorded runs as a list: order, filters, and what is said below."""

from __future__ import annotations

import io
import itertools
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from runner.compare.run_list import Wanted, age_text, list_runs, sort_records
from runner.errors import ConfigError
from tests.runner.compare.folders import typed, write_group, write_run, write_sweep


def listed(output: Path, width: int = 100, **wanted: Any) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False, no_color=True)
    console._force_terminal = True
    list_runs(output, Wanted(**wanted), console)
    return stream.getvalue().splitlines()


def ids(output: Path, **wanted: Any) -> list[str]:
    """The first six digits of the ids in the order of the list."""
    known = [path.name for path in output.iterdir()]
    return [name for line in listed(output, **wanted) for name in known if line.strip().startswith(name)]


@pytest.fixture
def runs(tmp_path: Path) -> dict[str, str]:
    """Three runs of known accuracy; their ids by name."""
    found = {"worst": write_group(tmp_path, "model=dsn", right=[110], started="2026-01-03T00:00:00.000Z")[0]}
    found["best"] = write_group(tmp_path, "model=bert-tiny", right=[180], started="2026-01-01T00:00:00.000Z")[0]
    found["failed"] = write_run(
        tmp_path, "model=bert-mini", status="failed", started="2026-01-02T00:00:00.000Z", metrics={}
    )
    return {name: record["identity"] for name, record in found.items()}


def test_the_newest_come_first_or_the_best_of_those_that_finished(tmp_path: Path, runs: dict[str, str]) -> None:
    assert ids(tmp_path) == [runs["worst"], runs["failed"], runs["best"]]
    assert ids(tmp_path, order="best") == [runs["best"], runs["worst"]]


def test_a_score_that_is_not_a_number_comes_last_and_disturbs_no_order(tmp_path: Path) -> None:
    scores = (0.5, math.nan, 0.9, 0.1)
    made = [write_run(tmp_path, "model=dsn", seed=i, metrics={"test/accuracy": one}) for i, one in enumerate(scores)]
    for records in itertools.permutations(typed(made)):
        found = [record.headline for record in sort_records(records, "best")]
        assert found[:3] == [0.9, 0.5, 0.1] and len(found) == 4


def test_filters_are_settings_and_the_status(tmp_path: Path, runs: dict[str, str]) -> None:
    assert ids(tmp_path, filters=["status=failed"]) == [runs["failed"]]
    assert ids(tmp_path, filters=["model=dsn,bert-tiny", "data=demo"]) == [runs["worst"], runs["best"]]
    with pytest.raises(ConfigError, match=r"no recorded run has model=x; recorded: bert-mini, bert-tiny, dsn"):
        ids(tmp_path, filters=["model=x"])
    with pytest.raises(ConfigError, match=r"did you mean model.*Try: run list runs model="):
        ids(tmp_path, filters=["modle=dsn"])
    with pytest.raises(ConfigError, match=r"status=lost; recorded: done, failed"):
        ids(tmp_path, filters=["status=lost"])


def test_a_run_that_a_search_paused_is_not_listed_as_killed(tmp_path: Path) -> None:
    reasons = {"paused": "paused after epoch 4 of 12", "pruned": "pruned after epoch 2 by study a: 0.5 is behind",
               "killed": "interrupted"}  # fmt: skip
    for seed, reason in enumerate(reasons.values()):
        write_run(tmp_path, "model=dsn", seed=seed, status="killed", reason=reason, metrics={})
    said = "\n".join(listed(tmp_path))
    assert [said.count(f" {word} ") for word in reasons] == [1, 1, 1]
    assert [len(ids(tmp_path, filters=[f"status={word}"])) for word in reasons] == [1, 1, 1]


def test_more_runs_than_asked_for_and_sweeps_are_named_below(tmp_path: Path, runs: dict[str, str]) -> None:
    write_sweep(tmp_path, [{"identity": runs["best"], "overrides": [], "status": "done", "reason": None}])
    lines = listed(tmp_path, rows=1)
    assert "1 of 3 runs; rows=3 shows all" in lines and any("a_sweep (1)" in line for line in lines)


def test_a_run_that_learned_nothing_is_marked_and_the_mark_explained(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[90], metrics={"baseline/majority": 0.5})
    said = "\n".join(listed(tmp_path))
    assert said.count("at baseline") == 2 and "at baseline: not better" in said
    assert max(map(len, listed(tmp_path, width=50))) <= 50


def test_an_empty_folder_says_how_to_make_a_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="run demo"):
        listed(tmp_path)


@pytest.mark.parametrize(
    ("started", "said"),
    [
        ("2026-01-02T00:00:00.000Z", "0 s"), ("2026-01-01T23:00:00Z", "60 min"), ("2026-01-01T00:00:00Z", "24 h"),
        ("2025-12-01T00:00:00Z", "32 d"), ("", ""), ("yesterday", ""), ("2026-01-02T00:00:00", ""),
    ],
)  # fmt: skip
def test_an_age_is_said_in_the_unit_that_fits(started: str, said: str) -> None:
    assert age_text(started, datetime(2026, 1, 2, tzinfo=UTC)) == said
