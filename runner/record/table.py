"""A recorded run and its stages as tables for a terminal.

Text from outside (labels, file names) is escaped: it must not become markup or control sequences.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.record.baseline import (
    MARK,
    MEANING,
    NAMED,
    NGRAM,
    describe_ngram,
    is_at_baseline,
    marked,
    no_better_than_ngrams,
)
from runner.record.bounds import BOUND_NOTE, is_bound
from runner.record.descriptions import class_table, constant_answers, is_shown, score_label
from runner.record.folder import PAGE
from runner.record.lengths import lengths_table
from runner.record.record import RunRecord
from runner.record.run_names import name_of
from runner.record.shown_costs import ANSWER, STAR_OF_SIZE, STAR_OF_TIME, Shown, answer_of, in_mb, size_of
from runner.record.status import shown_status
from runner.sanitize import escape
from runner.tasks import baseline_name

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def show_record(record: RunRecord, folder: Path, console: Console | None = None, details: bool = False) -> None:
    """Print one run as a table: quality, size, speed; with details also each class, and every cost and time."""
    from rich.console import Console
    from rich.table import Table

    console = console or Console(highlight=False)
    widen(console)
    table = Table(title=escape(f"{name_of(record)}  ({record.identity}, {shown_status(record)})"), title_justify="left")
    table.add_column("what")
    table.add_column("value", justify="right")
    for what, value in summary_rows(record, details):
        if what:
            table.add_row(escape(what), escape(value))
        else:
            table.add_section()
    console.print(table)
    if len(record.stages) > 1:
        console.print(stage_table(record))
        _explain_stars([entry.metrics for entry in record.stages], console)
    if details and (lengths := lengths_table(folder)):
        console.print(lengths)
    if details and (each := class_table(record)):
        console.print(each)
    if is_bound(record):
        say_below(f"note: {BOUND_NOTE}", console)
    for sentence in constant_answers(record):
        say_below(f"note: {sentence}", console)
    if sentence := no_better_than_ngrams([record.metrics], record.data.primary):
        say_below(f"note: {sentence}", console)
    _explain([record], console)
    console.print(escape(f"recorded in {folder}"), soft_wrap=True)
    if (folder / PAGE).is_file():
        console.print(escape(f"page: {folder / PAGE}"), soft_wrap=True)


def stage_table(record: RunRecord) -> Table:
    """Return the scores and costs of the model after each stage."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    primary = record.data.primary
    table = Table(title="after each stage", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("stage", no_wrap=True)
    for column in (primary, "parameters", "non-zero", "deployed MB", "MACs", "answer us", "seconds"):
        table.add_column(column, justify="right", no_wrap=True)
    for entry in record.stages:
        metrics = entry.metrics
        table.add_row(
            escape(marked(entry.name, metrics, primary)),
            _cell(metrics.get(primary), ".4f"),
            _cell(metrics.get("cost/params"), ",.0f"),
            _cell(metrics.get("cost/params_nonzero"), ",.0f"),
            _shown(size_of(metrics), ",.3f", 1e6),
            _cell(metrics.get("cost/macs"), ",.0f"),
            _shown(answer_of(metrics), ",.0f"),
            _cell(entry.seconds, ",.1f"),
        )
    return table


def summary_rows(record: RunRecord, details: bool = False) -> list[tuple[str, str]]:
    """Return the rows of a run's table as (label, value); an empty label separates sections.

    details: also other counts of bytes and the times of the forward pass, which are shown in any case where the record
    has no time from string to label.
    """
    metrics = record.metrics
    rows = _score_rows(record)
    rows.append(("", ""))
    costs = COSTS | (DETAILS if details or "cost/bytes_deployed" not in metrics else {})
    rows += [(name, form(metrics[name])) for name, form in costs.items() if name in metrics]
    rows.append(("", ""))
    rows += [(name, form(metrics[name])) for name, form in ANSWERS.items() if name in metrics]
    if details or ANSWER not in metrics:
        rows += [(name, f"{v:,.3f}") for name, v in metrics.items() if name.startswith("speed/latency_ms_p50")]
        rows += [(name, f"{v:,.3f}") for name, v in metrics.items() if name.startswith(MODES)]
    rows += [(name, f"{value:,.3f}") for name, value in metrics.items() if name.startswith("speed/onnx")]
    if details or ANSWER not in metrics:
        rows += [(name, f"{v:,.1f} x") for name, v in metrics.items() if name.startswith("speed/speedup")]
    times = ("time/tune_s", "time/cache_s", "time/recipe_s", "time/train_s", "time/total_s")
    rows += [(name, f"{metrics[name]:,.1f}") for name in times if name in metrics]
    return rows


def _score_rows(record: RunRecord) -> list[tuple[str, str]]:
    """Return the scores with their intervals, those of the reported splits first, and the baseline score."""
    metrics, rows = record.metrics, []
    for split in reversed([name for name in record.data.rows if name != "train"]):
        for name in metrics:
            if name.startswith(f"{split}/") and is_shown(record, name):
                value = with_interval(metrics, name)
                value = marked(value, metrics, name) if name == record.data.primary else value
                rows.append((score_label(record, name), value))
    rows += [(name, f"{metrics[name]:.2f}") for name in OF_A_VIEW if name in metrics]
    headline = record.data.primary.partition("/")[2]
    of_score = "" if headline == "accuracy" else f", {headline}"
    if "baseline/majority" in metrics:
        rows.append((f"{baseline_name(record.data.task)}{of_score}", f"{metrics['baseline/majority']:.4f}"))
    rows += [(name, f"{metrics[key]:.4f}") for key, name in NAMED.items() if key in metrics]
    if NGRAM in metrics:
        rows.append((f"n-gram baseline{of_score}", describe_ngram(metrics)))
    if record.thresholds is not None:
        rows.append(("thresholds", record.thresholds.describe()))
    if record.calibration is not None:
        rows.append(("calibration", record.calibration.describe()))
    return rows


def with_interval(metrics: dict[str, float], name: str) -> str:
    """Return a metric with its 95 % interval over the examples, if there is one; `ece` with the value that chance alone
    gives.
    """
    text = f"{metrics[name]:.4f}"
    if floor := metrics.get(f"{name}_floor_95"):
        text += f"  (chance alone: up to {floor:.4f})"
    if metrics.keys() >= {f"{name}_low", f"{name}_high"}:
        text += f"  [{metrics[f'{name}_low']:.4f}, {metrics[f'{name}_high']:.4f}]"
    return text


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _bytes(value: float) -> str:
    return f"{in_mb(value)} MB"


OF_A_VIEW = ("view/corr_train", "view/corr_val", "view/dimensions")
MODES = tuple(f"speed/{mode}_ms_p50" for mode in ("cached", "unique", "on_the_fly"))  # of a hash embedding
COSTS = {
    "cost/params": _count,
    "cost/params_trained": _count,
    "cost/params_deployed": _count,
    "cost/params_embeddings": _count,
    "cost/params_nonzero": _count,
    "cost/bytes_deployed": _bytes,
    "cost/bytes_onnx": _bytes,
    "cost/bytes_onnx_int8": _bytes,
    "cost/macs": _count,
    "cost/macs_s128": _count,
    "exits/mean_layers": "{:.2f}".format,
    "cost/bytes_peak_memory": _bytes,
    "cost/bytes_cache": _bytes,
}
DETAILS = {"cost/bytes_file": _bytes, "cost/bytes_packed": _bytes}
ANSWERS = {
    ANSWER: _count,
    "speed/answer_us_mean": _count,
    "speed/answer_us_p90": _count,
    "speed/answer_us_p95": _count,
    "speed/answers_per_s": _count,
    "speed/query_ms_p50": "{:,.1f}".format,
    "speed/load_ms": "{:,.1f}".format,
}


def _explain(records: list[RunRecord], console: Console) -> None:
    """Print the meaning of the mark, if a run above has it."""
    if any(is_at_baseline([record.metrics], record.data.primary) for record in records):
        say_below(f"{MARK}: {MEANING}", console)


def _explain_stars(costs: list[dict[str, float]], console: Console) -> None:
    """Print what a star beside a size or a time means, if there is one."""
    for find, sentence in ((size_of, STAR_OF_SIZE), (answer_of, STAR_OF_TIME)):
        if any(shown and shown.is_nearest for shown in map(find, costs)):
            say_below(sentence, console)


def say_below(text: str, console: Console) -> None:
    """Print a sentence below a table: broken between words on a terminal, in one line elsewhere."""
    console.print(escape(text), soft_wrap=not console.is_terminal)


def widen(console: Console) -> None:
    """Make a pipe, which has no width, 120 columns wide: rich's guess of 80 would cut the numbers."""
    if not console.is_terminal:
        console.width = max(console.width, 120)


def _cell(value: float | None, form: str, unit: float = 1.0) -> str:
    return "" if value is None else format(value / unit, form)


def _shown(cost: Shown | None, form: str, unit: float = 1.0) -> str:
    return cost.text(form, unit) if cost else ""
