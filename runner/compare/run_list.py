"""The recorded runs as a list: the newest or the best first, filtered by their settings and their status.

    list_runs(Path("outputs"), Wanted("best", filters=["data=imdb"]), Console())

Nothing is computed and no prediction is read; `run compare` groups and tests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from runner.compare.select import Run, full_key, setting_matcher, setting_text
from runner.errors import ConfigError
from runner.record.baseline import MARK, MEANING, is_at_baseline
from runner.record.command import essential
from runner.record.fitted_table import Column, fitted_table
from runner.record.folder import no_recorded_run, read_all_records
from runner.record.metrics import direction
from runner.record.record import RecordError, RunRecord
from runner.record.run_names import common, name_of
from runner.record.shown_costs import answer_of, in_mb, score_text, size_of
from runner.record.status import shown_status
from runner.record.sweep_record import SWEEP, SweepRecord, read_sweep, sweep_folders
from runner.record.table import say_below, widen

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

ORDERS = ("newest", "best")
ROWS = 20
SWEEPS = 5  # named below the runs


@dataclass(frozen=True)
class Wanted:
    """The choice of runs to list: in which order, how many, and the key=value words that a run must match."""

    order: str = ORDERS[0]
    rows: int = ROWS
    filters: list[str] = field(default_factory=list)


def list_runs(output: Path, wanted: Wanted, console: Console) -> None:
    """Print the wanted recorded runs; raise ConfigError if there are none."""
    records, damaged = read_all_records(output)
    if not records and not damaged:
        raise no_recorded_run(output)
    found = sort_records(filter_records(records, wanted.filters, output), wanted.order)
    widen(console)
    shown = found[: wanted.rows]
    table, titles = _table(shown, console.width)
    console.print(table)
    if len(found) > len(shown):
        say_below(f"{len(shown)} of {len(found)} runs; rows={len(found)} shows all", console)
    if "status" in titles and any(_state(record) == MARK for record in shown):
        say_below(f"{MARK}: {MEANING}", console)
    for name, why in list(damaged.items())[:3]:
        say_below(f"left out: {name}, its record.json is damaged: {why}", console)
    if sweeps := newest_sweeps(output):
        said = ", ".join(f"{one.title} ({len(one.identities)})" for one in sweeps)
        say_below(f"sweeps, with their runs: {said}; run show NAME or run compare NAME", console)


def filter_records(records: Sequence[RunRecord], filters: Sequence[str], output: Path) -> list[RunRecord]:
    """Return the records that match all key=value words; status= is that of the run, every other key a setting."""
    runs = [Run(record, output / record.identity) for record in records]
    for word in filters:
        key, _, value = word.partition("=")
        if key == "status":
            values = [shown_status(run.record) for run in runs]
            matching = [run for run, shown in zip(runs, values) if shown in value.split(",")]
        else:
            matches = setting_matcher(word, [run.settings for run in runs], "list runs")
            values = [setting_text(run.settings.get(full_key(key, run.settings))) for run in runs]
            matching = [run for run in runs if matches(run.settings)]
        if not matching:
            there = sorted(set(values))
            raise ConfigError(f"no recorded run has {word}; recorded: {', '.join(there[:8])}. Try: {key}={there[0]}")
        runs = matching
    return [run.record for run in runs]


def sort_records(records: Sequence[RunRecord], order: str) -> list[RunRecord]:
    """Return the newest first; or those with a score, the best first, by dataset and metric, one that is NaN last."""
    if order == "newest":
        return list(reversed(records))  # they are read oldest first

    def rank(record: RunRecord) -> tuple[str, str, float]:
        sign, score = 1.0 if direction(record.data.primary) == "lower" else -1.0, float(record.headline or 0.0)
        return record.dataset, record.data.primary, math.inf if math.isnan(score) else sign * score

    scored = [record for record in records if record.status == "done" and record.headline is not None]
    if not scored:
        raise ConfigError("no finished run has a score yet. Try: run list runs")
    return sorted(scored, key=rank)


def newest_sweeps(output: Path) -> list[SweepRecord]:
    """Return the sweeps that were written last; damaged ones are passed over."""
    folders = sorted(sweep_folders(output), key=lambda folder: (folder / SWEEP).stat().st_mtime, reverse=True)
    found = []
    for folder in folders[:SWEEPS]:
        try:
            found.append(read_sweep(folder))
        except RecordError:
            continue
    return found


def age_text(started: str, now: datetime | None = None) -> str:
    """Return how long ago a run was started: 5 s, 12 min, 3 h, 40 d; "" for a time that cannot be read."""
    try:
        seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(started)).total_seconds()
    except (TypeError, ValueError):
        return ""
    for unit, name, most in ((1, "s", 90), (60, "min", 90), (3600, "h", 36)):
        if seconds < most * unit:
            return f"{max(seconds, 0) / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} d"


def _table(records: Sequence[RunRecord], width: int) -> tuple[Table, list[str]]:
    metrics = {record.data.primary for record in records}
    shared = common([essential(record.overrides) for record in records])
    title = f"recorded runs, {next(iter(metrics))}" if len(metrics) == 1 else "recorded runs"
    columns = [
        Column("id", 0, [record.identity for record in records], is_name=True),
        Column("run", 0, [name_of(record, shared) for record in records], is_name=True),
        Column("score", 0, [_score(record, with_name=len(metrics) > 1) for record in records]),
        Column("status", 2, [_state(record) for record in records]),
        Column("ago", 3, [age_text(record.started) for record in records]),
        Column("MB", 4, [in_mb(size.value) if (size := size_of(record.metrics)) else "" for record in records]),
        Column("us", 5, [time.text(",.0f") if (time := answer_of(record.metrics)) else "" for record in records]),
    ]
    return fitted_table(title, columns, width)


def _score(record: RunRecord, *, with_name: bool) -> str:
    if record.headline is None:
        return ""
    return f"{record.data.primary} {score_text(record.headline)}" if with_name else score_text(record.headline)


def _state(record: RunRecord) -> str:
    """Return the status of a run, or that it has learned nothing."""
    is_low = record.status == "done" and is_at_baseline([record.metrics], record.data.primary)
    return MARK if is_low else shown_status(record)
