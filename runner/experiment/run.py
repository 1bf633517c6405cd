"""One run as a list of steps: load, build, train, evaluate, measure, save, record.

A run is a pure function (config, data, code) -> record. An error before the run folder exists leaves nothing behind;
any later one is recorded there, with the status failed or killed.
"""

from __future__ import annotations

import traceback
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

from data.json_types import JsonObject
from runner.config.recipes import with_recipe
from runner.errors import CLOSED_PIPE, as_user_error
from runner.experiment.claim import claim, require_progress
from runner.experiment.context import RunContext
from runner.experiment.dependencies.earlier_stages import run_earlier_stages
from runner.experiment.dependencies.encoder import find_initial_weights
from runner.experiment.dependencies.folds import answer_by_folds
from runner.experiment.dependencies.inner_run import InnerRunUnfinished
from runner.experiment.dependencies.ngram_baseline import find_ngram_baseline
from runner.experiment.dependencies.pretrained import make_pretrained
from runner.experiment.dependencies.teacher import make_teachers
from runner.experiment.header import first_record
from runner.experiment.identity_index import Source, remember, sources
from runner.experiment.initial_model import check_checkpoint
from runner.experiment.outcome import Outcome
from runner.experiment.prepare import prepare_run
from runner.experiment.prepared import PreparedRun
from runner.experiment.progress import Terminal
from runner.experiment.stages import run_last_stage
from runner.machine.matmul import resume_matmul, use_gemm
from runner.machine.threads import set_threads
from runner.measure.memory import restart_peak
from runner.record import abandoned as stale
from runner.record.folder import check_writable, read_record
from runner.record.record import RunRecord
from runner.record.writer import RecordWriter
from runner.report.run_page import write_run_page
from runner.sanitize import mask
from runner.schema import Settings
from runner.track.mirror import start_mirror
from runner.training.checkpoint import clear_checkpoints, find_resume_point
from runner.training.loop import Paused
from runner.training.state import RandomState
from runner.tune.trial_pruning import Pruned

AFTER_CTRL_C_S = 1.2  # an interrupted run ends within two seconds, whatever the tracker does


@dataclass(frozen=True)
class Asked:
    """The settings of a command, and what they read from outside as it was before it was read."""

    settings: Settings
    sources: list[Source]


def run(settings: Settings, overrides: list[str], context: RunContext | None = None) -> Outcome:
    """Execute one experiment, or find the finished run of the same identity.

    Raises the user's errors (bad data, unavailable weights, an unwritable folder) before anything is written; every
    later failure ends in the record and in the exit code 1, an interruption in 130.
    """
    context = context or RunContext()
    begun = context.exclusive.clock()
    output = Path(settings.paths.output).expanduser().absolute()
    check_writable(output)
    set_threads(settings.train.threads or 1)
    terminal = Terminal(context.is_quiet)
    asked = Asked(
        deepcopy(settings), sources(settings, overrides)
    )  # what follows writes into the settings which runs they need
    unwatched = replace(context, watch=None)  # the trial is this run, not those that it needs first

    def make_run(inner: Settings, words: list[str]) -> Outcome:
        return run(inner, words, unwatched)

    try:
        make_pretrained(settings, overrides, terminal.say, make_run)
        for one in (settings, *(with_recipe(settings, recipe) for recipe in settings.model.recipes)):
            check_checkpoint(one)
        initial = find_initial_weights(settings, overrides, terminal.say, context.exclusive, make_run)
        make_teachers(settings, overrides, terminal.say, make_run)
        try:
            context.exclusive.enter(Path(settings.paths.cache))
            prepared = prepare_run(settings, output, terminal.say, initial, context.exclusive)
            if settings.resume == "must":
                require_progress(prepared)
            return _find_or_make(prepared, asked, overrides, terminal, begun, context)
        except OSError as error:
            raise as_user_error(error) from error
        finally:
            context.exclusive.exit()
    except InnerRunUnfinished as stop:
        return stop.outcome


def _find_or_make(
    prepared: PreparedRun, asked: Asked, overrides: list[str], terminal: Terminal, begun: float, context: RunContext
) -> Outcome:
    """Hold the run folder, and find the finished run in it or make the run.

    asked: the command, by which the run is found again without loading data.
    """
    settings, folder, exclusive = prepared.settings, prepared.folder, context.exclusive

    def make_run(inner: Settings, words: list[str], inner_context: RunContext = context) -> Outcome:
        random = RandomState()
        state = random.state()
        exclusive.exit()  # the inner run enters and exits by itself
        try:
            return run(inner, words, inner_context)
        finally:
            random.load(state)  # whether the inner run is made or found does not change this run's random numbers
            exclusive.enter(Path(settings.paths.cache))

    def make_baseline(inner: Settings, words: list[str]) -> Outcome:
        try:
            return make_run(inner, words, replace(context, watch=None, is_quiet=True, is_patient=True))
        finally:
            restart_peak()

    with claim(folder, terminal.say, exclusive, is_patient=context.is_patient):
        remember(folder.parent, asked.settings, prepared.identity, asked.sources, overrides)
        found = read_record(folder)
        if found and found.status == "done" and not settings.force:
            clear_checkpoints(folder)  # a process that died after finishing its record left checkpoints
            terminal.found(found, folder)
            made = found.setting("calibration", settings.calibration)
            if made != settings.calibration:  # which is no part of the identity
                terminal.say(f"note: it has calibration={made}. For calibration={settings.calibration}: force=true")
            return Outcome(0, found, was_done=True)
        prepared.ngram = find_ngram_baseline(settings, overrides, terminal.say, make_baseline)
        answer_by_folds(prepared, overrides, terminal.say, make_run)
        prepared.before = run_earlier_stages(prepared, overrides, terminal.say, make_run)
        return _recorded(prepared, overrides, terminal, begun, context)


def set_arithmetic(prepared: PreparedRun, overrides: list[str], kept: JsonObject) -> None:
    """Set the matrix backend and the threads: the run's own, or those of the checkpoint that it resumes from.

    kept: what the checkpoint says of them; {} for a run from its first step. The final weights are then the same bit
    for bit, unless the command itself names another number of threads, which a note states.
    Raises ConfigError if the backend of the checkpoint is unavailable.
    """
    settings = prepared.settings
    if prepared.device.type == "cpu":
        use_gemm(prepared.engine["gemm"])  # an earlier stage, a run of its own, may have resumed with another
        prepared.engine |= resume_matmul(kept, settings.engine.gemm, settings.train.precision)
    threads = kept.get("threads") or settings.train.threads
    if threads != settings.train.threads and any(word.startswith("train.threads=") for word in overrides):
        threads = settings.train.threads
        prepared.notes.append(
            f"continues with {threads} threads after {kept['threads']}: equal up to rounding, not bit for bit"
        )
    settings.train.threads = threads
    set_threads(threads or 1)


def _recorded(
    prepared: PreparedRun, overrides: list[str], terminal: Terminal, begun: float, context: RunContext
) -> Outcome:
    """Make the run, from the first to the last entry of its record."""
    settings, folder = prepared.settings, prepared.folder
    from_scratch = settings.force or settings.resume == "never"
    interrupted = None if from_scratch else find_resume_point(folder, prepared.identity)
    if interrupted is None:
        clear_checkpoints(folder)
    set_arithmetic(prepared, overrides, interrupted.engine if interrupted else {})
    logged = interrupted.logged if interrupted else None
    writer = RecordWriter.begin(folder, first_record(prepared, overrides), logged)
    writer.add_metrics(prepared.ngram)
    mirror = (context.mirror or start_mirror)(settings.tracker, folder.parent)
    closed = [] if context.mirror else stale.close_all(folder.parent)  # a sweep has done that
    if mirror:
        for other in [folder, *closed]:
            mirror.request(other)
    wait_s, code = settings.tracker.wait_s, 0
    try:
        terminal.begin(prepared)
        run_last_stage(prepared, writer, terminal, mirror, context.watch)
        writer.add_metrics({"time/total_s": context.exclusive.clock() - begun})
        writer.finish("done")
        clear_checkpoints(folder)
    except KeyboardInterrupt as interruption:
        _record_interruption(str(interruption) or "interrupted", writer, terminal)
        wait_s, code = AFTER_CTRL_C_S, 130
    except SystemExit:  # rich raises it where nobody reads the output any more, as in `run ... | head`
        _record_interruption("the reader of its output closed the pipe", writer, terminal)
        wait_s, code = AFTER_CTRL_C_S, CLOSED_PIPE
    except Paused as pause:
        writer.finish("killed", str(pause))
    except Pruned as end:
        writer.mark_pruned()
        writer.finish("killed", str(end))
        clear_checkpoints(folder)
    except Exception as error:
        code = 1
        _record_failure(error, writer, terminal)
    context.exclusive.exit()  # from here on the run only waits for the mirror
    if writer.record.status == "done":
        _write_page(writer.record, folder, terminal)
    if mirror:
        mirror.request(folder)  # before the last output, whose reader may be gone
    terminal.end(writer.record, folder)
    if mirror:
        problem = mirror.close(wait_s)
        if problem:
            terminal.say(problem)
    return Outcome(code, writer.record)


def _write_page(record: RunRecord, folder: Path, terminal: Terminal) -> None:
    """Write report.html; a disk that is full at this point does not make a finished run a failed one."""
    try:
        write_run_page(record, folder)
    except OSError as error:
        terminal.say(f"the page of the run cannot be written: {error}")


def _record_interruption(reason: str, writer: RecordWriter, terminal: Terminal) -> None:
    """Close the record of a run that was interrupted; a full disk does not change that it was."""
    try:
        if writer.record.status == "done":
            writer.write()  # the interruption may have come before; only checkpoints are left to be removed
        else:
            writer.finish("killed", reason)
    except OSError as unwritable:  # the next command finds the record open and closes it as killed
        terminal.say(f"the record cannot be written: {unwritable}")


def _record_failure(error: Exception, writer: RecordWriter, terminal: Terminal) -> None:
    """Close the record of a failed run and keep the traceback beside it."""
    reason = f"{type(error).__name__}: {error}"
    writer.fail(reason)
    try:
        (writer.folder / "error.txt").write_text(mask(traceback.format_exc()), encoding="utf-8")
        writer.finish("failed", reason)
    except OSError as unwritable:  # the next command finds the record open and closes it as killed
        terminal.say(f"the record cannot be written: {unwritable}")
