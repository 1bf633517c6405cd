"""A recorded run, its stages, or several runs, as tables for a terminal.

Text from outside (labels, file names) is escaped: it must not become markup or control sequences.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.record.baseline import MARK, MEANING, is_at_baseline, marked
from runner.record.descriptions import class_table, constant_answers, distinct_names, is_shown, score_label
from runner.record.record import RunRecord
from runner.sanitize import escape
from runner.tasks import find_task

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def show_record(record: RunRecord, folder: Path, console: Console | None = None, details: bool = False) -> None:
    """Print one run as a table: quality, size, speed; with details also each class."""
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    widen(console)
    table = Table(title=escape(f"{record.name}  ({record.identity}, {record.status})"), title_justify="left")
    table.add_column("what")
    table.add_column("value", justify="right")
    for what, value in summary_rows(record):
        if what:
            table.add_row(escape(what), escape(value))
        else:
            table.add_section()
    console.print(table)
    if len(record.stages) > 1:
        console.print(stage_table(record))
    if details and (each := class_table(record)):
        console.print(each)
    for sentence in constant_answers(record):
        console.print(escape(f"note: {sentence}"), soft_wrap=True)
    _explain([record], console)
    console.print(escape(f"recorded in {folder}"), soft_wrap=True)


def stage_table(record: RunRecord) -> Table:
    """The scores and costs of the model after each stage."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    primary = record.data.primary
    latency = next((name for name in record.metrics if name.startswith("speed/latency_ms_p50_b1_s")), "")
    table = Table(title="after each stage", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("stage", no_wrap=True)
    for column in (primary, "parameters", "non-zero", "packed MB", "file MB", "MACs", "b1 ms", "seconds"):
        table.add_column(column, justify="right", no_wrap=True)
    for entry in record.stages:
        metrics = entry.metrics
        table.add_row(
            escape(marked(entry.name, metrics, primary)),
            _cell(metrics.get(primary), ".4f"),
            _cell(metrics.get("cost/params"), ",.0f"),
            _cell(metrics.get("cost/params_nonzero"), ",.0f"),
            _cell(metrics.get("cost/bytes_packed"), ",.3f", 1e6),
            _cell(metrics.get("cost/bytes_file"), ",.3f", 1e6),
            _cell(metrics.get("cost/macs"), ",.0f"),
            _cell(metrics.get(latency), ".3f"),
            _cell(entry.seconds, ",.1f"),
        )
    return table


def summary_rows(record: RunRecord) -> list[tuple[str, str]]:
    """The rows of a run's table as (label, value); an empty label separates sections."""
    metrics = record.metrics
    splits = [name for name in record.data.rows if name != "train"]
    rows = []
    for split in reversed(splits):
        for name in metrics:
            if name.startswith(f"{split}/") and is_shown(record, name):
                value = with_interval(metrics, name)
                value = marked(value, metrics, name) if name == record.data.primary else value
                rows.append((score_label(record, name), value))
    if "baseline/majority" in metrics:
        rows.append((_baseline_name(record), f"{metrics['baseline/majority']:.4f}"))
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


def _baseline_name(record: RunRecord) -> str:
    """The name of the score without learning."""
    task = find_task(record.data.task)
    return task.baseline_name if task else "baseline"


def with_interval(metrics: dict[str, float], name: str) -> str:
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


def show_comparison(records: list[RunRecord]) -> None:
    """Print several runs side by side, one line each, narrow enough for 100 columns."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    widen(console)
    table = Table(title="compared", title_justify="left", box=SIMPLE_HEAD)
    for column in ("run", "what", "metric"):
        table.add_column(column, overflow="fold")
    # trained: by that run; parameters: those that an answer needs
    for column in ("value", "95 %", "trained", "parameters", "file MB", "b1 ms", "train s"):
        table.add_column(column, justify="right", no_wrap=True)
    for record, name in zip(records, distinct_names(records)):
        metrics, primary = record.metrics, record.data.primary
        latency = next((v for k, v in metrics.items() if k.startswith("speed/latency_ms_p50_b1_s")), None)
        low, high = f"{primary}_low", f"{primary}_high"
        table.add_row(
            record.identity,
            escape(name),
            marked(primary, metrics, primary),
            _cell(metrics.get(primary), ".4f") or record.status,
            f"{metrics[low]:.3f}-{metrics[high]:.3f}" if metrics.keys() >= {low, high} else "",
            _cell(metrics.get("cost/params_trained"), ",.0f"),
            _cell(metrics.get("cost/params_deployed"), ",.0f"),
            _cell(metrics.get("cost/bytes_file"), ",.2f", 1e6),
            _cell(latency, ".2f"),
            _cell(metrics.get("time/train_s"), ".1f"),
        )
    console.print(table)
    _explain(records, console)


def _explain(records: list[RunRecord], console: Console) -> None:
    """Print the meaning of the mark, where a run above has it."""
    if any(is_at_baseline([record.metrics], record.data.primary) for record in records):
        console.print(escape(f"{MARK}: {MEANING}"), soft_wrap=True)


def widen(console: Console) -> None:
    """Make a pipe, which has no width, 120 columns wide: rich's guess of 80 would cut the numbers."""
    if not console.is_terminal:
        console.width = max(console.width, 120)


def _cell(value: float | None, form: str, unit: float = 1.0) -> str:
    return "" if value is None else format(value / unit, form)
