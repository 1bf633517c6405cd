from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import cast

import pytest

from runner.best.plan import ahead
from runner.best.plan.ahead import encoders_ahead
from runner.best.types import Budget
from runner.schema import Settings

SETTINGS = cast(Settings, None)  # read only by what is replaced here


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the estimating process says who it is and where its temporary files are."""
    path = tmp_path / "told"

    def estimate(*_: object) -> None:
        os.write(1, b"a line that nobody should see\n")
        with tempfile.TemporaryDirectory(dir=tmp_path) as scratch:
            (tmp_path / "part").write_text(f"{os.getpid()} {scratch}", encoding="utf-8")
            (tmp_path / "part").rename(path)
            time.sleep(60)

    monkeypatch.setattr(ahead, "usable_cores", lambda: 2)
    monkeypatch.setattr(ahead, "measured_rates", lambda *_: None)
    monkeypatch.setattr(ahead, "estimate_encoders", estimate)
    return path


def test_encoders_are_estimated_in_another_process_which_ends_with_the_block(
    told: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with encoders_ahead(SETTINGS, [], Budget(max_kb=100, minutes=1)):
        while not told.exists():
            time.sleep(0.01)
        number, scratch = told.read_text(encoding="utf-8").split()
        assert int(number) != os.getpid() and Path(scratch).is_dir()
    with pytest.raises(ProcessLookupError):
        os.kill(int(number), 0)
    assert not Path(scratch).exists() and "nobody should see" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("budget", "cores"), [(Budget(max_us=9, minutes=1), 2), (Budget(steps=4), 2), (Budget(minutes=1), 1)]
)
def test_nothing_runs_beside_timings_on_one_core_or_without_a_clock(
    budget: Budget, cores: int, told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "usable_cores", lambda: cores)
    monkeypatch.setattr(ahead, "computed_in_background", lambda _: pytest.fail("a process is forked"))
    with encoders_ahead(SETTINGS, [], budget):
        pass


def test_what_fails_ahead_is_left_to_the_plan(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "estimate_encoders", lambda *_: 1 / 0)
    with encoders_ahead(SETTINGS, [], Budget(minutes=1)):
        pass
