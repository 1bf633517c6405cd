"""What a person sees: progress while a run goes on, one line an epoch where there is no terminal, the final table.

Text from outside (labels, file names) is escaped: it must not become markup or control sequences.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from runner.record.baseline import marked
from runner.record.descriptions import task_line
from runner.record.metrics import SPLITS
from runner.record.record import RunRecord
from runner.record.table import show_record
from runner.sanitize import escape, mask

if TYPE_CHECKING:
    from runner.experiment.prepare import Started
    from runner.training.state import TrainingState


class Terminal:
    """The voice of one run."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self._progress: Any = None
        self._bar: Any = None
        self._started = time.perf_counter()
        self._total = 0
        self._scores: tuple[str, ...] = ()  # those of an epoch's line; others are logged

    def say(self, text: str) -> None:
        """One line for the user."""
        self.console.print(escape(mask(text)), soft_wrap=True)

    def begin(self, started: Started) -> None:
        """Name the run, say once what the user must know, and open the progress bar on a terminal."""
        splits = started.splits
        rows = ", ".join(f"{part.name} {len(part):,}" for part in (splits.train, splits.select, *splits.report))
        settings = started.settings
        self.console.rule(
            escape(f"{settings.model.name} on {settings.data.name}, seed {settings.seed}, run {started.identity}")
        )
        what = "rows" if splits.task.has_labels else f"blocks of {settings.data.max_length} tokens"
        self.say(f"{what}: {rows}; vocabulary {splits.tokenizer.vocab_size:,}; threads {settings.train.threads}")
        self.say(task_line(splits))
        for note in started.notes:
            self.say(f"note: {note}")
        self._scores = (*splits.task.metrics, "loss")

    def train(self, total: int) -> None:
        """A training of that many steps begins; on a terminal it has a progress bar."""
        self._close()
        self._total, self._started = total, time.perf_counter()
        if self.console.is_terminal:
            self._open()

    def stage(self, record: dict[str, Any]) -> None:
        """One line for a finished stage, where there are several."""
        self._close()
        entry, primary = record["stages"][-1], record["data"]["primary"]
        if len(record["stages"]) > 1 or record["config"]["compression"]:
            metrics = entry["metrics"]
            score = marked(f"{metrics[primary]:.4f}", metrics, primary)
            self.say(
                f"after {entry['name']}: {primary} {score}, {metrics['cost/params_nonzero']:,.0f} "
                f"numbers that are not zero, {metrics['cost/bytes_file'] / 1e6:.2f} MB, {entry['seconds']:.1f} s"
            )

    def _open(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("loss {task.fields[loss]:.4f}  {task.fields[rate]:,.0f} examples/s"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )
        self._bar = self._progress.add_task("train", total=self._total, epoch=1, loss=float("nan"), rate=0.0)
        self._progress.start()

    def _close(self) -> None:
        if self._progress:
            self._progress.stop()
            self._progress = None

    def point(self, position: TrainingState, values: dict[str, float]) -> None:
        """Move the progress bar."""
        if self._progress:
            self._progress.update(
                self._bar,
                completed=position.step,
                epoch=position.epoch + 1,
                loss=values["train/loss"],
                rate=values["train/examples_per_s"],
            )

    def epoch(self, position: TrainingState, values: dict[str, float]) -> None:
        """One line for a finished epoch."""
        chosen = ((name, value) for name, value in values.items() if name.split("/")[0] in SPLITS)
        shown = "  ".join(f"{name} {value:.4f}" for name, value in chosen if name.split("/")[1] in self._scores)
        best = " *" if position.best_epoch == position.epoch else ""
        spent = time.perf_counter() - self._started
        left = spent / max(position.step, 1) * (self._total - position.step)
        self.say(f"epoch {position.epoch:>3}  {shown}  {position.seconds:.1f} s, about {left:.0f} s left{best}")

    def found(self, record: dict[str, Any], folder: Path) -> None:
        """Say that this very run is done already, and show it."""
        self.say(f"run {record['identity']} is finished already; force=true runs it again")
        show_record(RunRecord.from_json(record), folder, self.console)

    def end(self, record: dict[str, Any], folder: Path) -> None:
        """The final table of a finished run, or the reason of one that did not finish."""
        self._close()
        if record["status"] == "done":
            show_record(RunRecord.from_json(record), folder, self.console)
        elif record["status"] == "failed":
            self.say(f"run {record['identity']} failed: {record['reason']}\nThe traceback is in {folder / 'error.txt'}")
        else:
            self.say(f"run {record['identity']} was {record['status']}: {record['reason']}; its record is in {folder}")
