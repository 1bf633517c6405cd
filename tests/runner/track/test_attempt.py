"""One attempt at a mirror: it holds the lock of its folder, and each failure is one line that the folder keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from runner.track import attempt as module
from runner.track.attempt import LOCK, attempt
from runner.track.connection import MlflowTarget
from runner.track.errors import TrackError
from runner.track.folder import STATE, MirrorState, read_state, write_state
from runner.track.settings import TrackerSettings


def test_an_attempt_returns_its_result_and_holds_the_lock_meanwhile(output: Path, target: MlflowTarget) -> None:
    (output / f"{STATE}.0.part").write_text("left by a killed process", encoding="utf-8")

    def send(to: MlflowTarget) -> str:
        assert to is target and not list(output.glob("*.part"))
        with pytest.raises(TimeoutError), FileLock(output / LOCK, timeout=0):
            pass
        return "sent"

    assert attempt(output, output, TrackerSettings(), target, send) == "sent"
    with FileLock(output / LOCK, timeout=0):
        pass


def test_mlflow_is_opened_where_no_target_is_given(output: Path) -> None:
    found = attempt(output, output, TrackerSettings(experiment="mine"), None, lambda target: target.uri)
    assert found.endswith("mlflow.db")


@pytest.mark.parametrize("error", [TrackError("no answer"), OSError("no answer"), ValueError("no answer")])
def test_a_failure_is_one_line_that_the_folder_keeps(output: Path, target: MlflowTarget, error: Exception) -> None:
    write_state(output, MirrorState(run_id="a", points=3))

    def send(to: MlflowTarget) -> str:
        raise error

    with pytest.raises(TrackError, match=r"^no answer$"):
        attempt(output, output, TrackerSettings(), target, send)
    assert read_state(output) == MirrorState(run_id="a", points=3, problem="no answer"), "what was sent stays known"


def test_a_mistake_in_the_program_is_no_failure_of_mlflow(output: Path, target: MlflowTarget) -> None:
    with pytest.raises(ZeroDivisionError):
        attempt(output, output, TrackerSettings(), target, lambda to: str(1 / 0))


def test_another_process_that_keeps_the_lock_is_waited_for_in_bounded_time(
    output: Path, target: MlflowTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_TIMEOUT_S", 0.05)
    with FileLock(output / LOCK), pytest.raises(TrackError, match=r"mlflow\.lock"):
        attempt(output, output, TrackerSettings(), target, lambda to: "sent")
