"""One run as a list of steps: load, build, train, evaluate, measure, save, record.

A run is a pure function (config, data, code) -> record. What goes wrong before the run folder exists leaves nothing
behind; what goes wrong after it is recorded there as failed or killed.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from runner.errors import ConfigError, as_user_error
from runner.experiment import context as surroundings
from runner.experiment.context import Busy
from runner.experiment.dependencies.earlier_stages import run_prefix
from runner.experiment.dependencies.encoder import begin
from runner.experiment.dependencies.teacher import make_teachers
from runner.experiment.prepare import Started, check_start, prepare, repeats
from runner.experiment.progress import Terminal
from runner.machine import exclusive as turns
from runner.machine.threads import set_threads
from runner.record import abandoned as stale
from runner.record.identity_index import remember
from runner.record.raw import Record, check_writable, whole
from runner.sanitize import mask
from runner.schema import Settings
from runner.tune.trial_pruning import Pruned, Watch
from runner.version import NUMBERS, VERSION

AFTER_CTRL_C_S = 1.2  # an interrupted run ends within two seconds, whatever the tracker does


@dataclass
class Outcome:
    """What became of one run; `record` is None when it never began."""

    exit_code: int
    record: dict[str, Any] | None = None
    reason: str | None = None  # why there is no record
    was_done: bool = False  # before: nothing was run


def run(settings: Settings, overrides: list[str], watch: Watch | None = None) -> Outcome:
    """Execute one experiment, or find the finished run of the same identity.

    watch: gets the selection metric after each epoch but the last, and may end the run by raising Pruned.
    Raises the user's errors (bad data, weights that cannot be had, an unwritable folder) before anything is written;
    every later failure ends in the record and in the exit code 1, an interruption in 130.
    """
    begun = turns.clock()
    output = Path(settings.paths.output).expanduser().absolute()
    check_writable(output)
    set_threads(settings.train.threads or 1)
    terminal = Terminal()
    check_start(settings)
    start = begin(settings, overrides, terminal)
    if outcome := start.outcome or make_teachers(settings, overrides, terminal):
        return outcome
    try:
        turns.join(Path(settings.paths.cache))
        started = prepare(settings, output, terminal, start)
        if settings.resume == "must":
            refuse_anew(started)
        with claim(started, terminal):
            remember(output, settings, started.identity)
            found = whole(started.folder)
            if found and found["status"] == "done" and not settings.force:
                from runner.training.checkpoint import clear_checkpoints

                clear_checkpoints(started.folder)  # where its process died after its last word
                terminal.found(found, started.folder)
                return Outcome(0, found, was_done=True)
            if outcome := run_prefix(started, overrides, terminal, watch):
                return outcome
            return _recorded(started, overrides, terminal, begun, watch)
    except OSError as error:
        raise as_user_error(error) from error
    finally:
        turns.leave()


def refuse_anew(started: Started) -> None:
    """ConfigError where nothing of the run is there: neither its end nor anything that it can go on from.

    A chain goes on from what comes before its last stage, which is asked the same when its turn comes.
    """
    from runner.experiment.stages import plan
    from runner.training.checkpoint import find_resume_point

    found = whole(started.folder)
    if len(plan(started.settings)) > 1:
        return
    if found is None or (found["status"] != "done" and find_resume_point(started.folder, started.identity) is None):
        raise ConfigError(
            f"resume=must: {started.folder} holds nothing that this run could go on from. Try: resume=auto, or the "
            "paths.output of the interrupted run"
        )


def set_arithmetic(started: Started, overrides: list[str], kept: dict[str, Any]) -> None:
    """Set the matrix backend and the threads: the run's own, or those of the checkpoint that it goes on from.

    kept: what the checkpoint says of them, {} for a run from its first step. The weights at the end are then the same
    bit for bit, except with another number of threads that the command itself names: a note says so.
    Raises ConfigError where the backend of the checkpoint cannot be taken.
    """
    from runner.machine.matmul import resume_matmul, use_gemm

    settings = started.settings
    if started.device.type == "cpu":
        use_gemm(started.engine["gemm"])  # an earlier stage, a run of its own, may have gone on with another
        started.engine |= resume_matmul(kept, settings.engine.gemm, settings.train.precision)
    threads = kept.get("threads") or settings.train.threads
    if threads != settings.train.threads and any(word.startswith("train.threads=") for word in overrides):
        threads = settings.train.threads
        started.notes.append(
            f"goes on with {threads} threads after {kept['threads']}: equal but for rounding, not bit for bit"
        )
    settings.train.threads = threads
    set_threads(threads or 1)


@contextmanager
def claim(started: Started, terminal: Terminal) -> Iterator[None]:
    """Hold the run folder: the same command in a second terminal waits and then finds the finished run.

    In a sweep that has other runs to do it does not wait but raises Busy.
    """
    from filelock import FileLock, Timeout

    folder = started.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"paths.output: {folder} cannot be made: {error.strerror}. Try: paths.output=...") from error
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if not surroundings.here.is_patient:
            raise Busy(folder.name) from None
        terminal.say(f"run {folder.name} is going on in another process; waiting for it")
        with turns.waiting():
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _recorded(started: Started, overrides: list[str], terminal: Terminal, begun: float, watch: Watch | None) -> Outcome:
    """Run between the first and the last word of the record."""
    from runner.experiment.stages import execute
    from runner.track.mirror import start_mirror
    from runner.training.checkpoint import clear_checkpoints, find_resume_point

    settings = started.settings
    is_anew = settings.force or settings.resume == "never"
    interrupted = None if is_anew else find_resume_point(started.folder, started.identity)
    if interrupted is None:
        clear_checkpoints(started.folder)
    set_arithmetic(started, overrides, interrupted.engine if interrupted else {})
    logged = interrupted.logged if interrupted else None
    record = Record.begin(started.folder, _header(started, overrides), logged)
    mirror = (surroundings.here.mirror or start_mirror)(settings.tracker, started.folder.parent)
    closed = [] if surroundings.here.mirror else stale.close_all(started.folder.parent)  # a sweep has done that
    if mirror:
        for folder in [started.folder, *closed]:
            mirror.request(folder)
    terminal.begin(started)
    wait_s, code = settings.tracker.wait_s, 0
    try:
        execute(started, record, terminal, mirror, watch)
        record.add({"time/total_s": turns.clock() - begun})
        record.finish("done")
        clear_checkpoints(started.folder)
    except KeyboardInterrupt as interruption:
        record.finish("killed", str(interruption) or "interrupted")
        wait_s, code = AFTER_CTRL_C_S, 130
    except Pruned as end:
        record.content["pruned"] = True
        record.finish("killed", str(end))
        clear_checkpoints(started.folder)
    except Exception as error:
        code = 1
        record.content |= {"status": "failed", "reason": f"{type(error).__name__}: {error}"}
        try:
            (started.folder / "error.txt").write_text(mask(traceback.format_exc()), encoding="utf-8")
            record.finish("failed", record.content["reason"])
        except OSError as unwritable:  # the next command finds it open and says that it was killed
            terminal.say(f"the record cannot be written: {unwritable}")
    turns.leave()  # only the mirror is waited for now
    terminal.end(record.content, started.folder)
    if mirror:
        mirror.request(started.folder)
        problem = mirror.close(wait_s)
        if problem:
            terminal.say(problem)
    return Outcome(code, record.content)


def _header(started: Started, overrides: list[str]) -> dict[str, Any]:
    """What the record says before the first step."""
    from runner.machine.facts import machine_facts

    settings, splits = started.settings, started.splits
    parts = [splits.train, splits.select, *splits.report]
    return {
        "identity": started.identity,
        "name": f"{settings.model.name} {settings.data.name} seed={settings.seed}",
        "config": asdict(settings),
        "overrides": overrides,
        "environment": machine_facts()
        | {
            "threads": settings.train.threads,
            "device": str(started.device),
            "code_version": VERSION,
            "numbers_version": NUMBERS,
            "engine": started.engine,
        },
        "data": {
            "name": settings.data.name,
            "source": settings.data.id or settings.data.path or settings.data.source,
            "fingerprint": splits.fingerprint,
            "fingerprints": splits.fingerprints,
            "rows": {part.name: len(part) for part in parts},
            "truncated": {part.name: part.truncated for part in parts},
            "lengths": {part.name: part.length_stats for part in parts},
            "dropped": splits.dropped,
            "duplicates": splits.duplicates | repeats(started.outside),
            "labels": list(splits.task.label_names),
            "positive": splits.task.label_names[splits.task.positive] if splits.task.num_labels == 2 else None,
            "task": splits.task.kind,
            "primary": f"{splits.report[0].name}/{splits.task.metrics[0]}",
            "selection": f"{splits.select.name}/{splits.task.metrics[0]}",
        }
        | ({"targets": asdict(splits.task.target_scale)} if splits.task.target_scale else {}),
        "tokenizer": {
            "source": splits.tokenizer.source,
            "vocab_size": splits.tokenizer.vocab_size,
            "fingerprint": splits.tokenizer.fingerprint,
        },
        "weights": {
            "source": started.weights.source,
            "fingerprint": started.weights.fingerprint,
            "loaded": len(started.weights.loaded),
            "new": started.weights.new if started.weights.source else "all",
            "ignored": started.weights.ignored,
        },
        "notes": started.notes,
    }
