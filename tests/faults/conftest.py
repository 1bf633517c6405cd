"""Set how often `make faults` tries each fault, and print a table of all of them at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

pytest.register_assert_rewrite("tests.faults.scene")
TRIES = int(os.environ.get("TRIES", "100"))


@dataclass
class Row:
    """One fault, over all tests of it."""

    tries: int = 0
    bugs: int = 0
    lost_s: float = 0.0  # most work that was done again after one try


rows: dict[str, Row] = {}


def fault(item: pytest.Item) -> str:
    """Return the subject of a test in words: its name without the parameters."""
    return item.name.partition("[")[0].removeprefix("test_").replace("_", " ")


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Iterator[Row]:
    """Return the table's row of this test, which counts its tries."""
    yield rows.setdefault(fault(request.node), Row())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed and fault(item) in rows:
        rows[fault(item)].bugs += 1
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if rows:
        width = max(map(len, rows))
        terminalreporter.write_line(f"\n{'fault':{width}}  tries  bugs  lost at most")
        for name, row in rows.items():
            terminalreporter.write_line(f"{name:{width}}  {row.tries:5}  {row.bugs:4}  {row.lost_s:10.1f} s")
