"""The table of a cascade on a terminal: both models alone and together, what is guaranteed, and the time saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runner.deploy.cascade import CASCADE_FILE, LARGE, SMALL
from runner.deploy.exported import CASCADE
from runner.record.record import RunRecord
from runner.record.shown_costs import in_mb
from runner.record.table import say_below, widen
from runner.sanitize import escape

if TYPE_CHECKING:
    from rich.console import Console

COSTS = "cost/bytes_deployed"


def show_cascade(record: RunRecord, folder: Path, console: Console) -> None:
    """Print a recorded cascade beside its two models."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    widen(console)
    metrics, primary = record.metrics, record.data.primary
    table = Table(
        title=escape(f"{record.name}  ({record.identity})"), title_justify="left", box=SIMPLE_HEAD, pad_edge=False
    )
    table.add_column("", overflow="fold")
    for column in (primary, "answers", "mean ms", "p50", "p95", "MB"):
        table.add_column(column, justify="right", no_wrap=True)
    share, names = metrics["cascade/by_small"], record.config[CASCADE]
    for part, answered in ((SMALL, share), (LARGE, 1 - share)):
        table.add_row(
            f"{part} {names[part]}", _number(metrics.get(f"cascade/{part}_score"), ".4f"),
            f"{100 * answered:.0f} %", _ms(metrics.get(f"cascade/{part}_us_mean")), "", "", "",
        )  # fmt: skip
    table.add_row(
        "both", _with_interval(metrics, primary), "",
        *(_ms(metrics.get(f"speed/answer_us_{name}")) for name in ("mean", "p50", "p95")), in_mb(metrics[COSTS]),
    )  # fmt: skip
    console.print(table)
    for line in (*costs_in_words(metrics), *(f"note: {note}" for note in record.notes)):
        say_below(line, console)
    console.print(escape(f"recorded in {folder / CASCADE_FILE}"), soft_wrap=True)


def costs_in_words(metrics: dict[str, float]) -> list[str]:
    """Return the accuracy lost on the reported rows, whether the small model alone would do, and the time saved."""
    loss, low, high = (100 * metrics[f"cascade/{name}"] for name in ("loss", "loss_low", "loss_high"))
    found = [f"accuracy lost against the large model: {loss:+.2f} points ({low:+.2f} to {high:+.2f}) on the same rows"]
    small, large = (metrics.get(f"cascade/{part}_score") for part in (SMALL, LARGE))
    if small is not None and large is not None and small >= large:
        found.append(f"the small model alone is at least as good, {small:.4f}, and does not need the large one")
    if "cascade/large_us_mean" in metrics:
        mean, alone = metrics["speed/answer_us_mean"], metrics["cascade/large_us_mean"]
        formula, texts = metrics["cascade/formula_us_mean"], int(metrics["speed/answer_texts"])
        found.append(
            f"mean time: {100 * mean / alone:.1f} % of the large model's on {texts:,} texts; the times of its parts "
            f"add up to {formula / 1e3:,.3g} ms"
        )
    return found


def _with_interval(metrics: dict[str, float], name: str) -> str:
    low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
    return f"{metrics[name]:.4f}" + (f" [{low:.4f}, {high:.4f}]" if low is not None and high is not None else "")


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _ms(micros: float | None) -> str:
    return "" if micros is None else f"{micros / 1e3:,.3g}"
