"""The circumstances of a run, and the outcome that its caller sees."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.experiment.context import RunContext
from runner.experiment.outcome import Outcome
from runner.experiment.start import start_run
from runner.schema import Settings


def test_a_run_by_itself_waits_for_others_and_has_a_clock_of_its_own() -> None:
    one, other = RunContext(), RunContext()
    assert one.jobs == 1 and one.is_patient and one.mirror is None and one.watch is None
    assert one.exclusive is not other.exclusive
    assert replace(one, watch=lambda epoch, score: None).exclusive is one.exclusive, "inner runs share the clock"


def test_an_outcome_goes_through_a_pipe() -> None:
    sent = Outcome(2, reason="no such data")
    assert pickle.loads(pickle.dumps(sent)) == sent  # noqa: S301 our own bytes


def test_the_door_loads_nothing_heavy_and_refuses_before_it_opens(tmp_path: Path) -> None:
    code = (
        "import sys, runner.experiment.start;"
        "print([name for name in ('torch', 'numpy', 'rich', 'filelock', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    (tmp_path / "file").write_text("", encoding="utf-8")
    settings = Settings()
    settings.paths.output = str(tmp_path / "file" / "outputs")
    with pytest.raises(ConfigError, match="cannot be written to"):
        start_run(settings, [])
