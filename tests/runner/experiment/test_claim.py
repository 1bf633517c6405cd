"""One process at a time works on a run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from filelock import FileLock

from runner.errors import ConfigError
from runner.experiment.claim import claim, require_progress
from runner.experiment.context import Busy
from runner.machine.exclusive import Exclusive
from runner.schema import Settings


def test_a_run_that_another_process_holds_is_busy_for_an_impatient_one(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with claim(folder, print, Exclusive(), is_patient=True):
        assert (folder / ".lock").exists()
        with pytest.raises(Busy, match="run"), claim(folder, print, Exclusive(), is_patient=False):
            pass
    with claim(folder, print, Exclusive(), is_patient=False):
        pass  # free again


def test_a_patient_one_says_that_it_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    held = FileLock(tmp_path / ".lock")
    held.acquire()

    class Releasing(Exclusive):
        def waiting(self) -> Any:
            held.release()
            return super().waiting()

    with claim(tmp_path, told.append, Releasing(), is_patient=True):
        pass
    assert told == [f"run {tmp_path.name} is running in another process; waiting for it"]


def test_a_folder_that_cannot_be_made_is_the_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with (
        pytest.raises(ConfigError, match=r"cannot be made.*paths\.output="),
        claim(tmp_path / "file" / "run", print, Exclusive(), is_patient=True),
    ):
        pass


def test_resume_must_needs_something_to_go_on_from(tmp_path: Path) -> None:
    prepared = SimpleNamespace(settings=Settings(), folder=tmp_path, identity="0123456789")
    with pytest.raises(ConfigError, match=r"resume=must: .* has nothing.*Try: resume=auto"):
        require_progress(cast(Any, prepared))
