"""`run model=dsn --help`: titled with the command, its choices in words, and its settings with their comments."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runner.cli import dispatch
from tests.conftest import REPO


def test_the_settings_of_the_named_choices_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["model=bert-tiny", "data=imdb", "--help"]) == 0
    told = capsys.readouterr().out
    lines = told.splitlines()
    assert lines[0] == "run model=bert-tiny data=imdb" and max(map(len, lines)) <= 80
    assert "Hydra" in lines[-1] and "powered by" not in told
    assert "  model=bert-tiny" in told and "4.4M parameters" in told
    assert "  data.max_length=512             128 would keep only" in told
    assert "  model.dropout=0.1" in told and "optimizer.lr=" not in told


def test_without_a_choice_the_settings_of_any_experiment_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["--help", "seed=3"]) == 0
    told = capsys.readouterr().out
    assert "  seed=0" in told and "sweep.question" not in told and "model.dropout" not in told


def test_each_choice_of_a_sweep_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["-m", "optimizer=adamw,sgd", "-h"]) == 0
    told = capsys.readouterr().out
    assert "Settings of optimizer=adamw" in told and "Settings of optimizer=sgd" in told


def test_the_help_of_settings_waits_for_no_library() -> None:
    code = "import sys; from runner.cli import dispatch; dispatch(['model=dsn', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPO, check=True)
    assert not {"numpy", "torch", "pandas", "rich"} & set(done.stdout.splitlines()[-1].split())


def test_the_command_for_all_settings_can_be_pasted(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["compression=[int8]", "--help"]) == 0
    assert "All settings with their values: run 'compression=[int8]' --cfg job" in capsys.readouterr().out


def test_a_mistake_comes_before_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["mdel=dsn", "--help"]) == 2
    assert "did you mean model" in capsys.readouterr().err
