"""`run diff`: the verdict first, timings on request."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands.diff import main
from runner.errors import ConfigError
from tests.runner.compare.folders import write_group


@pytest.fixture
def output(tmp_path: Path) -> Path:
    write_group(tmp_path, "model=dsn", right=[150], metrics={"speed/answers_per_s": 3.0})
    write_group(tmp_path, "model=bert-tiny", right=[180], metrics={"cost/params": 9000, "time/train_s": 50.0})
    return tmp_path


def ids(output: Path) -> list[str]:
    return sorted(path.name for path in output.iterdir())


def test_the_verdict_leads_and_timings_are_behind_all(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = ids(output)
    assert main([first, second, f"paths.output={output}"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"test/accuracy: {second} against {first}: ")
    assert said.index("settings that differ") < said.index("metrics that moved") < said.index("--all")
    assert "model=dsn" in said and "model=bert-tiny" in said and "cost/params " in said
    assert "time/train_s" not in said and "answers_per_s" not in said
    assert f"and 2 of time and speed: run diff {first} {second} --all" in said
    assert main([first, second, "--all", f"paths.output={output}"]) == 0
    said = capsys.readouterr().out
    assert "time/train_s" in said and "of time and speed" not in said


def test_two_runs_are_needed(output: Path) -> None:
    with pytest.raises(ConfigError, match="two runs are needed, not 1"):
        main(["latest", "--all", f"paths.output={output}"])


def test_scores_that_are_not_positive_moved_by_their_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_group(tmp_path, "model=dsn", right=[150], metrics={"test/mcc": -0.02, "test/f1": 0.5})
    write_group(tmp_path, "model=bert-tiny", right=[180], metrics={"test/mcc": 0.51, "test/f1": 0.25})
    assert main([*ids(tmp_path), f"paths.output={tmp_path}"]) == 0
    said = capsys.readouterr().out
    (line,) = (line for line in said.splitlines() if "test/mcc" in line and "against" not in line)
    assert line.split()[-1] in ("+0.53", "-0.53") and "x -" not in said
