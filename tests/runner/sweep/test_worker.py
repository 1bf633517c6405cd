"""A job's own process: its answer, its log, and how it ends with a signal or without its parent."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import initialize_config_module
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.types import HydraContext

from runner.commands.plan import examine_sweep
from runner.experiment.context import Busy, RunContext
from runner.experiment.outcome import Outcome
from runner.sweep.launcher import with_number
from runner.sweep.plan import Job
from runner.sweep.worker import BUSY, MIRROR, RAISED, RETURNED, Message, Running, Task, start
from runner.track.settings import TrackerSettings


class Parent:
    """The parent of jobs; they run functions of a config and a context."""

    def __init__(self, folder: Path, job: Job, context: HydraContext) -> None:
        self.job, self.context, self.log = job, context, folder / "log.txt"
        self.alive, self.begun = os.pipe(), list[Running]()

    def start(self, function: Callable[[Any, RunContext], object], gpu: str | None = None) -> Running:
        task = Task(lambda config, context: function(config, context), self.context, 2, self.alive)
        self.begun.append(start(self.job, task, self.log, is_patient=True, gpu=gpu))
        return self.begun[-1]

    def end(self) -> None:
        """Kill the jobs that are left."""
        for running in self.begun:
            os.kill(running.pid, signal.SIGKILL)
            os.waitpid(running.pid, 0)
        for end in self.alive:
            os.close(end)


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Parent]:
    (_, job), _, _ = examine_sweep(["model=dsn", "data=demo", "seed=3,4", f"hydra.sweep.dir={tmp_path}"])
    with_number(job, 1)
    with initialize_config_module("conf", version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        made = Parent(tmp_path, job, HydraContext(config_loader=loader, callbacks=Callbacks()))
        yield made
        made.end()


def message(running: Running) -> Message:
    """The next message of a job."""
    assert running.pipe.poll(60), "the job said nothing"
    found: Message = running.pipe.recv()
    return found


def test_a_job_has_its_settings_and_a_process_of_its_own(parent: Parent, tmp_path: Path) -> None:
    def function(config: Any, context: RunContext) -> Outcome:
        print("told by", os.getpid())
        return Outcome(0, reason=f"{config.seed} {context.jobs} {os.environ['CUDA_VISIBLE_DEVICES']}")

    running = parent.start(function, gpu="7")
    kind, outcome = message(running)
    assert (kind, outcome.reason) == (RETURNED, "4 2 7")
    assert os.environ.get("CUDA_VISIBLE_DEVICES") != "7" and running.pid != os.getpid()
    assert (tmp_path / "log.txt").read_text(encoding="utf-8") == f"told by {running.pid}\n"


def test_an_error_is_told_by_name_with_its_traceback_in_the_log(parent: Parent, tmp_path: Path) -> None:
    def function(config: Any, context: RunContext) -> None:
        raise ValueError("no such thing")

    assert message(parent.start(function)) == (RAISED, ("ValueError", "no such thing"))
    assert "Traceback" in (tmp_path / "log.txt").read_text(encoding="utf-8")


def test_what_cannot_be_sent_back_is_an_error_and_not_silence(parent: Parent) -> None:
    kind, (_, why) = message(parent.start(lambda config, context: lambda: None))
    assert kind == RAISED and "what the job returned cannot be sent back" in why


def test_a_run_that_another_process_makes_is_left_to_it(parent: Parent) -> None:
    assert message(parent.start(lambda config, context: Busy("0123456789"))) == (BUSY, None)


def test_a_job_asks_its_parent_to_mirror_a_folder(parent: Parent, tmp_path: Path) -> None:
    def function(config: Any, context: RunContext) -> None:
        context.mirror(TrackerSettings(), tmp_path).request(tmp_path / "run")  # type: ignore[misc]

    kind, (settings, folder) = message(parent.start(function))
    assert kind == MIRROR and settings["name"] == TrackerSettings().name and folder == str(tmp_path / "run")


def wait_until_begun(config: Any, context: RunContext) -> None:
    """A job that says so when it runs, and then never ends by itself."""
    context.mirror(TrackerSettings(), Path()).request(Path("begun"))  # type: ignore[misc]
    while True:
        time.sleep(0.05)


def test_ctrl_c_of_the_terminal_is_left_to_the_parent_which_sends_sigterm(parent: Parent) -> None:
    running = parent.start(wait_until_begun)
    assert message(running)[0] == MIRROR
    os.kill(running.pid, signal.SIGINT)
    assert not running.pipe.poll(0.3)
    os.kill(running.pid, signal.SIGTERM)
    assert message(running) == (RAISED, ("KeyboardInterrupt", "interrupted"))


def test_a_job_ends_when_its_parent_is_gone(parent: Parent) -> None:
    running = parent.start(wait_until_begun)
    assert message(running)[0] == MIRROR
    os.close(parent.alive[1])
    assert message(running) == (RAISED, ("KeyboardInterrupt", "the sweep's process ended"))
    os.close(parent.alive[0])
    parent.alive = os.pipe()
