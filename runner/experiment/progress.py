"""What a person sees: progress while a run goes on, one line an epoch where there is no terminal, the final table.

Text from outside (labels, file names) is escaped: it must not become markup or control sequences.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from runner.record.baseline import MARK, MEANING, is_at_baseline, marked
from runner.record.descriptions import classes, constants, distinct_names, is_shown, label, task_line
from runner.record.metrics import SPLITS
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
            score = marked(f"{metrics[primary]:.4f}", record | entry)
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
        show(record, folder, self.console)

    def end(self, record: dict[str, Any], folder: Path) -> None:
        """The final table of a finished run, or the reason of one that did not finish."""
        self._close()
        if record["status"] == "done":
            show(record, folder, self.console)
        elif record["status"] == "failed":
            self.say(f"run {record['identity']} failed: {record['reason']}\nThe traceback is in {folder / 'error.txt'}")
        else:
            self.say(f"run {record['identity']} was {record['status']}: {record['reason']}; its record is in {folder}")


def show(record: dict[str, Any], folder: Path, console: Console | None = None, details: bool = False) -> None:
    """Print one run as a table: quality, size, speed; details: and each class."""
    console = console or Console(highlight=False)
    widen(console)
    table = Table(title=escape(f"{record['name']}  ({record['identity']}, {record['status']})"), title_justify="left")
    table.add_column("what")
    table.add_column("value", justify="right")
    for what, value in summary(record):
        if what:
            table.add_row(escape(what), escape(value))
        else:
            table.add_section()
    console.print(table)
    if len(record["stages"]) > 1:
        console.print(stages(record))
    if details and (each := classes(record)):
        console.print(each)
    for sentence in constants(record):
        console.print(escape(f"note: {sentence}"), soft_wrap=True)
    _explain([record], console)
    console.print(escape(f"recorded in {folder}"), soft_wrap=True)


def stages(record: dict[str, Any]) -> Table:
    """What the model was worth and cost after each stage."""
    primary = record["data"]["primary"]
    latency = next((name for name in record["metrics"] if name.startswith("speed/latency_ms_p50_b1_s")), "")
    table = Table(title="after each stage", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("stage", no_wrap=True)
    for column in (primary, "parameters", "not zero", "packed MB", "file MB", "MACs", "b1 ms", "seconds"):
        table.add_column(column, justify="right", no_wrap=True)
    for entry in record["stages"]:
        metrics = entry["metrics"]
        table.add_row(
            escape(marked(entry["name"], record | entry)),
            _cell(metrics.get(primary), ".4f"),
            _cell(metrics.get("cost/params"), ",.0f"),
            _cell(metrics.get("cost/params_nonzero"), ",.0f"),
            _cell(metrics.get("cost/bytes_packed"), ",.3f", 1e6),
            _cell(metrics.get("cost/bytes_file"), ",.3f", 1e6),
            _cell(metrics.get("cost/macs"), ",.0f"),
            _cell(metrics.get(latency), ".3f"),
            _cell(entry.get("seconds"), ",.1f"),
        )
    return table


def summary(record: dict[str, Any]) -> list[tuple[str, str]]:
    """The rows of a run's table as (label, value); an empty label separates sections."""
    metrics = record["metrics"]
    splits = [name for name in record["data"]["rows"] if name != "train"]
    rows = []
    for split in reversed(splits):
        for name in metrics:
            if name.startswith(f"{split}/") and is_shown(record, name):
                value = quality(metrics, name)
                value = marked(value, record) if name == record["data"]["primary"] else value
                rows.append((label(record, name), value))
    if "baseline/majority" in metrics:
        rows.append(("without learning", f"{metrics['baseline/majority']:.4f}"))
    rows.append(("", ""))
    for name, form in COSTS.items():
        if name in metrics:
            rows.append((name, form(metrics[name])))
    rows.append(("", ""))
    rows += [(name, f"{value:,.3f}") for name, value in metrics.items() if name.startswith("speed/latency_ms_p50")]
    rows += [(name, f"{value:,.3f}") for name, value in metrics.items() if name.startswith(MODES)]
    rows += [(name, f"{value:,.3f}") for name, value in metrics.items() if name.startswith("speed/onnx")]
    rows += [(name, f"{value:,.1f} x") for name, value in metrics.items() if name.startswith("speed/speedup")]
    times = ("time/tune_s", "time/cache_s", "time/train_s", "time/total_s")
    rows += [(name, f"{metrics[name]:,.1f}") for name in times if name in metrics]
    return rows


def quality(metrics: dict[str, float], name: str) -> str:
    """A metric with its 95 % interval over the examples, where there is one."""
    text = f"{metrics[name]:.4f}"
    if metrics.keys() >= {f"{name}_low", f"{name}_high"}:
        text += f"  [{metrics[f'{name}_low']:.4f}, {metrics[f'{name}_high']:.4f}]"
    return text


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _bytes(value: float) -> str:
    return f"{value / 1e6:,.2f} MB"


MODES = tuple(f"speed/{mode}_ms_p50" for mode in ("cached", "unique", "on_the_fly"))  # of a hash embedding
COSTS = {
    "cost/params": _count,
    "cost/params_trained": _count,
    "cost/params_deployed": _count,
    "cost/params_embeddings": _count,
    "cost/params_nonzero": _count,
    "cost/bytes_packed": _bytes,
    "cost/bytes_file": _bytes,
    "cost/bytes_onnx": _bytes,
    "cost/bytes_onnx_int8": _bytes,
    "cost/macs": _count,
    "cost/macs_s128": _count,
    "cost/bytes_peak_memory": _bytes,
    "cost/bytes_cache": _bytes,
}


def comparison(records: list[dict[str, Any]]) -> None:
    """Several runs side by side, one line each, narrow enough for 100 columns."""
    console = Console(highlight=False)
    widen(console)
    table = Table(title="compared", title_justify="left", box=SIMPLE_HEAD)
    for column in ("run", "what", "metric"):
        table.add_column(column, overflow="fold")
    # trained: by that run; parameters: those that an answer needs
    for column in ("value", "95 %", "trained", "parameters", "file MB", "b1 ms", "train s"):
        table.add_column(column, justify="right", no_wrap=True)
    for record, name in zip(records, distinct_names(records)):
        metrics, primary = record["metrics"], record["data"]["primary"]
        latency = next((v for k, v in metrics.items() if k.startswith("speed/latency_ms_p50_b1_s")), None)
        low, high = f"{primary}_low", f"{primary}_high"
        table.add_row(
            record["identity"],
            escape(name),
            marked(primary, record),
            _cell(metrics.get(primary), ".4f") or record["status"],
            f"{metrics[low]:.3f}-{metrics[high]:.3f}" if metrics.keys() >= {low, high} else "",
            _cell(metrics.get("cost/params_trained"), ",.0f"),
            _cell(metrics.get("cost/params_deployed"), ",.0f"),
            _cell(metrics.get("cost/bytes_file"), ",.2f", 1e6),
            _cell(latency, ".2f"),
            _cell(metrics.get("time/train_s"), ".1f"),
        )
    console.print(table)
    _explain(records, console)


def _explain(records: list[dict[str, Any]], console: Console) -> None:
    """What the mark means, below a table that has it."""
    if any(is_at_baseline([record["metrics"]], record["data"]["primary"]) for record in records):
        console.print(escape(f"{MARK}: {MEANING}"), soft_wrap=True)


def widen(console: Console) -> None:
    """A pipe has no width of its own, and rich's guess of 80 would cut the numbers."""
    if not console.is_terminal:
        console.width = max(console.width, 120)


def _cell(value: float | None, form: str, unit: float = 1.0) -> str:
    return "" if value is None else format(value / unit, form)
