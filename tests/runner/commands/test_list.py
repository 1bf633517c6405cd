"""`run list`: groups and their choices."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runner.commands.list import describe, main
from runner.errors import ConfigError


@pytest.mark.parametrize(
    ("words", "cure"),
    [
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


def test_lines_fit_a_terminal_and_are_whole_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    main(["model"])
    whole = capsys.readouterr().out
    assert len(max(whole.splitlines(), key=len)) > 60
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    main(["model"])
    fitted = capsys.readouterr().out
    assert len(max(fitted.splitlines(), key=len)) <= 60
    assert fitted.split() == whole.split()


def test_it_imports_nothing_that_reads_runs() -> None:
    code = "import sys, runner.commands.list; print('runner.record.record' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
