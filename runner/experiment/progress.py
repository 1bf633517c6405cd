"""The messages of a run: progress while it goes on, one line an epoch where there is no terminal, the final table.

Text from outside (labels, file names) is escaped: it must not become markup or control sequences.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from runner.experiment.prepared import PreparedRun
from runner.record.baseline import marked
from runner.record.metrics import CORRELATION, VIEW, is_split
from runner.record.next_step import next_command
from runner.record.record import RunRecord
from runner.record.shown_costs import STAR, size_of
from runner.record.table import show_record
from runner.sanitize import escape, mask

HASHES = 1 << 32  # the vocabulary size that stands for none: words are hashed


class Terminal:
    """The terminal, or the log, of one run."""

    def __init__(self, is_quiet: bool = False) -> None:
        self.console = Console(highlight=False, quiet=is_quiet)
        self._progress: Progress | None = None
        self._bar: Any = None
        self._total = 0
        self._scores: tuple[str, ...] = ()  # shown after an epoch; others are logged only
        self._has_star = False  # was an epoch marked as the best so far?

    def say(self, text: str) -> None:
        """Show one line to the user."""
        self.console.print(escape(mask(text)), soft_wrap=True)

    def begin(self, prepared: PreparedRun) -> None:
        """Name the run and its data, and show the notes for the user."""
        settings, splits = prepared.settings, prepared.splits
        parts = (splits.train, splits.select, *splits.report, *((splits.apart,) if splits.apart else ()))
        rows = ", ".join(f"{part.name} {part.source_count:,}" for part in parts)
        self.console.rule(
            escape(f"{settings.model.name} on {settings.data.name}, seed {settings.seed}, run {prepared.identity}")
        )
        unit = prepared.task.unit(settings.data.max_length)
        size = splits.tokenizer.vocab_size
        vocabulary = f"vocabulary {size:,}" if size < HASHES else "words as hashes, no vocabulary"
        self.say(f"{unit}: {rows}; {vocabulary}; threads {settings.train.threads}")
        self.say(prepared.task.describe(splits.train))
        for note in prepared.notes:
            self.say(f"note: {note}")
        self._scores = (*prepared.task.metrics, "loss")

    def begin_training(self, total: int) -> None:
        """Begin a training of `total` steps; on a terminal and in a notebook it has a progress bar."""
        self._close()
        self._total = total
        # rich needs ipywidgets to redraw a bar in a notebook; without them each epoch still has its line.
        if self.console.is_terminal or (self.console.is_jupyter and find_spec("ipywidgets")):
            self._open()

    def point(self, step: int, epoch: int, loss: float, rate: float) -> None:
        """Move the progress bar. epoch: from 0; rate: examples per second."""
        if self._progress:
            told = f"loss {loss:.4f}  {rate:,.0f} examples/s"
            self._progress.update(self._bar, completed=step, epoch=epoch + 1, told=told)

    def epoch(self, step: int, epoch: int, values: dict[str, float], *, seconds: float, is_best: bool) -> None:
        """Show one line for a finished epoch, the `epoch`-th; seconds: that all `step` steps have taken.

        A progress bar shows the remaining time; without one, the line does.
        """
        scores = (*self._scores, CORRELATION)
        parts = {name: name.partition("/") for name in values}
        chosen = [name for name, (of, _, score) in parts.items() if score in scores and (is_split(of) or of == VIEW)]
        shown = "  ".join(f"{name} {values[name]:.4f}" for name in chosen)
        best = f" {STAR}" if is_best else ""
        self._has_star = self._has_star or is_best
        left = f", about {seconds / max(step, 1) * (self._total - step):.0f} s left" if not self._progress else ""
        self.say(f"epoch {epoch:>3}  {shown}  {seconds:.1f} s{left}{best}")

    def stage(self, record: RunRecord) -> None:
        """Show one line for a finished stage of a chain."""
        self._close()
        entry, primary = record.stages[-1], record.data.primary
        if len(record.stages) > 1 or record.compression:
            metrics, size = entry.metrics, size_of(entry.metrics)
            score = marked(f"{metrics[primary]:.4f}", metrics, primary)
            self.say(
                f"after {entry.name}: {primary} {score}, {metrics['cost/params_nonzero']:,.0f} "
                f"non-zero weights, {size.in_mb() if size else '?'} MB deployed, {entry.seconds or 0.0:.1f} s"
            )

    def found(self, record: RunRecord, folder: Path) -> None:
        """Say that this very run is finished already, and show it."""
        self.say(f"run {record.identity} is finished already; force=true runs it again")
        self._finished(record, folder)

    def end(self, record: RunRecord, folder: Path) -> None:
        """Show the table of a finished run, or the reason why it did not finish."""
        self._close()
        if record.status == "done":
            self._finished(record, folder)
        elif record.status == "failed":
            self.say(f"run {record.identity} failed: {record.reason}\nThe traceback is in {folder / 'error.txt'}")
        else:
            more = "" if record.pruned else "; the same command resumes it"
            self.say(f"run {record.identity}: {record.reason}{more}. Its record is in {folder}")

    def _finished(self, record: RunRecord, folder: Path) -> None:
        show_record(record, folder, self.console)
        self.say(f"next: {next_command(record, folder.parent)}")

    def _open(self) -> None:
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )
        self._bar = self._progress.add_task("train", total=self._total, epoch=1, told="")
        self._progress.start()

    def _close(self) -> None:
        if self._progress:
            self._progress.stop()
            self._progress = None
        if self._has_star:
            self.say(f"{STAR} the best epoch so far on the selection rows; the last one with this mark is kept")
            self._has_star = False
