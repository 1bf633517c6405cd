"""`run list`: groups, and recorded runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands.list import describe, main
from runner.errors import ConfigError
from tests.runner.compare.folders import write_group


def test_recorded_runs_are_listed_with_their_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = write_group(tmp_path, "model=dsn", right=[150, 160])[1]
    assert main(["runs", "best", "rows=1", "model=dsn", f"paths.output={tmp_path}"]) == 0
    said = capsys.readouterr().out
    assert record["identity"] in said and "0.8000" in said and "1 of 2 runs" in said


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (["runs", "bets"], "run list runs best"),
        (["runs", "rows=0"], "rows=1"),
        (["runs", "paths.output=/nowhere"], "run demo"),
        (["rnus"], "Try: run list runs"),
        (["modle"], "Try: run list model"),
    ],
)
def test_a_mistake_has_its_cure(words: list[str], cure: str) -> None:
    with pytest.raises(ConfigError, match=cure):
        main(words)


def test_a_choice_and_a_sweep_are_described_in_one_line() -> None:
    assert describe("model", "dsn") and "\n" not in describe("model", "dsn")
    assert "runs, " in describe("sweep", "seeds")
