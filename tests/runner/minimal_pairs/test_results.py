"""Reports and their pairs survive their files; others are passed over."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest

from runner.errors import ConfigError
from runner.minimal_pairs.results import (
    NUMBERS,
    Line,
    PairReport,
    PairTable,
    key_of,
    metrics_of,
    read_pair_table,
    read_report,
    read_reports,
    stem_of,
    write_result,
)
from runner.minimal_pairs.wanted import Wanted, pair_source

NAMES = np.repeat(["a", "b"], 40)


def report() -> PairReport:
    whole = Line("all", ["a", "b"], 80, 0.75, 0.65, 0.85, 0.0, 0.5, 0.6, 0.0)
    return PairReport(
        {"data": "blimp"}, "blimp_pll", "toy", "blimp", "pll", whole, {"paradigm": [whole], "field": [whole, whole]},
        200, 2000, ["a 7"], ["a note"], 1.0, "2026-01-01T00:00:00Z", "then",
    )  # fmt: skip


def table(outcomes: np.ndarray) -> PairTable:
    numbers = {name: np.arange(80, dtype=float) for name in NUMBERS} | {"outcome": outcomes}
    return PairTable(NAMES, numbers)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = write_result(tmp_path / "minimal-pairs", "blimp_pll-200", report(), table(np.ones(80)))
    assert read_report(path) == report()
    found = read_pair_table(path.with_suffix(".parquet"))
    assert found.paradigm.tolist() == NAMES.tolist()
    assert {name: values.tolist() for name, values in found.by_paradigm("row").items()} == {
        "a": list(range(40)), "b": list(range(40, 80)),
    }  # fmt: skip
    assert read_reports(tmp_path, "then") == [report()]
    assert read_reports(tmp_path, "another start") == []


def test_a_report_is_not_read_with_the_pairs_of_a_later_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = write_result(tmp_path, "pairs_pll-200", report(), table(np.ones(80)))
    monkeypatch.setattr("runner.minimal_pairs.results.write_json", is_full)
    with pytest.raises(OSError, match="No space"):
        write_result(tmp_path, "pairs_pll-200", report(), table(np.zeros(80)))
    assert read_report(path) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": 9}', '{"schema_version": 1, "groups": 3}'])
def test_a_damaged_report_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.json").write_text(text, encoding="utf-8")
    assert read_report(tmp_path / "r.json") is None


def test_damaged_pairs_are_refused_with_a_cure(tmp_path: Path) -> None:
    (tmp_path / "r.parquet").write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError, match="Remove it and try again"):
        read_pair_table(tmp_path / "r.parquet")


def test_names_and_keys_depend_on_all_that_the_numbers_do() -> None:
    plain = Wanted(pair_source("blimp"))
    some = Wanted(pair_source("blimp"), most=None, paradigms=("passive_1",))
    assert stem_of(plain) == "blimp_pll-200"
    assert stem_of(some).startswith("blimp_pll-all-") and len(stem_of(some)) == len("blimp_pll-all-") + 6
    keys = [key_of(plain, "w", ""), key_of(some, "w", ""), key_of(plain, "v", ""), key_of(plain, "w", "file")]
    assert len({json.dumps(key, sort_keys=True) for key in keys}) == 4


def test_metrics_have_the_names_of_the_list() -> None:
    assert metrics_of(report()) == {
        "pairs/blimp_pll": 0.75, "pairs/blimp_pll_low": 0.65, "pairs/blimp_pll_high": 0.85, "pairs/blimp_pll_count": 80,
    }  # fmt: skip
