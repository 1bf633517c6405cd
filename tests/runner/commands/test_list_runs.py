"""`run list runs`: the recorded runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands.list_runs import main
from runner.errors import ConfigError
from tests.conftest import run_cli
from tests.runner.compare.folders import write_group


def test_recorded_runs_are_listed_with_their_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = write_group(tmp_path, "model=dsn", right=[150, 160])[1]
    assert main(["best", "rows=1", "model=dsn", f"paths.output={tmp_path}"]) == 0
    said = capsys.readouterr().out
    assert record["identity"] in said and "0.8000" in said and "1 of 2 runs" in said


def test_the_command_reaches_it(tmp_path: Path) -> None:
    done = run_cli("list", "runs", "bets", cwd=tmp_path)
    assert done.returncode == 2 and "run list runs best" in done.stderr


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (["bets"], "run list runs best"),
        (["rows=0"], "rows=1"),
        (["paths.output=/nowhere"], "run demo"),
    ],
)
def test_a_mistake_has_its_cure(words: list[str], cure: str) -> None:
    with pytest.raises(ConfigError, match=cure):
        main(words)
