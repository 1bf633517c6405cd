"""Prepared runs on the built-in data, as the last stage of a run gets them."""

from __future__ import annotations

from pathlib import Path

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.header import first_record
from runner.experiment.prepare import prepare_run
from runner.experiment.prepared import InitialWeights, PreparedRun
from runner.experiment.progress import Terminal
from runner.experiment.stage_context import RunStageContext
from runner.machine.exclusive import Exclusive
from runner.record.writer import RecordWriter

WORDS = ("model=dsn", "data=demo", "data.demo_rows=240", "train.threads=1", "measure=off", "tracker=none")


def prepare(folder: Path, *words: str) -> PreparedRun:
    """A run with these words before its first step; its folder would be in `folder`/outputs."""
    chosen = [*WORDS, *words, f"paths.output={folder / 'outputs'}", f"paths.cache={folder / 'cache'}"]
    settings = resolve(compose(chosen))
    return prepare_run(settings, folder / "outputs", lambda line: None, InitialWeights(), Exclusive())


def begin(prepared: PreparedRun) -> RecordWriter:
    """The record of the run, begun in its folder."""
    prepared.folder.mkdir(parents=True, exist_ok=True)
    return RecordWriter.begin(prepared.folder, first_record(prepared, []), None)


def context_of(prepared: PreparedRun, writer: RecordWriter | None = None, stage: str = "1-distil") -> RunStageContext:
    """The context of a stage of the run."""
    return RunStageContext(prepared, writer or begin(prepared), Terminal(is_quiet=True), None, stage)
