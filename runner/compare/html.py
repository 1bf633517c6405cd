"""The report as one HTML file that opens anywhere: no network, no library, light and dark.

This module collects the content of the page as JSON; report.html, .css and .js beside it draw it.
"""

from __future__ import annotations

import json
import math
from importlib import resources
from pathlib import Path
from typing import Any

from runner.compare.axes import words_of
from runner.compare.claim_table import CLAIM_TITLES, claim_cells
from runner.compare.columns import Column, columns_of_tests, comparison_columns
from runner.compare.pairs import Paired
from runner.compare.pareto import AXES
from runner.compare.rows import Comparison, Row
from runner.compare.select import Run, setting_text
from runner.compare.table import all_notes, legend_of_columns, legend_of_tests
from runner.compare.verdict import ClaimVerdict
from runner.record.identity import flatten
from runner.record.run_names import shown_setting
from runner.record.validation import point
from runner.statistics.paired import Interval

CURVE_RUNS = 60  # runs whose learning curves are drawn, best groups first
CURVE_POINTS = 160  # at most, in one curve
NO_CURVE = ("step", "time", "train/lr", "train/epoch", "train/grad_norm", "train/examples_per_s", "train/tokens_per_s")
FACTS = (
    "cpu", "cores", "memory_bytes", "system", "python", "device", "threads", "code_version", "git_commit", "git_dirty",
    "engine.gemm", "engine.precision", "torch.gpu",
)  # fmt: skip
AXIS_NAMES = {"b": "size", "l": "time", "m": "MACs"}  # on the buttons


def report_page(comparison: Comparison, *, title: str, question: str | None, made: str) -> str:
    """The report as one HTML page; made: when and by which version, for the line below the title."""
    folder = resources.files("runner.compare")
    parts = {name: folder.joinpath(f"report.{name}").read_text(encoding="utf-8") for name in ("html", "css", "js")}
    # "</" would end the script element, and NaN is not valid JSON.
    data = json.dumps(_finite(page_content(comparison, title, question, made)), ensure_ascii=False, allow_nan=False)
    html = parts["html"].replace("/*STYLE*/", parts["css"]).replace("/*SCRIPT*/", parts["js"])
    return html.replace("/*DATA*/", data.replace("<", "\\u003c"))


def page_content(comparison: Comparison, title: str, question: str | None, made: str) -> dict[str, Any]:
    """The content of the page, as report.js expects it."""
    rows = comparison.rows
    keys = list(dict.fromkeys((row.metric, row.examples) for row in rows))
    runs = sum(len(row.group.runs) for row in rows)
    curves = _curves(rows)
    return {
        "title": title,
        "question": question,
        "facts": f"{runs} runs in {len(rows)} groups. {made}",
        "table": _table(comparison_columns(comparison), rows),
        "legend": legend_of_columns(comparison),
        "notes": [note.removeprefix("check: ") for note in all_notes(comparison)],
        "tests": _tests(comparison) if comparison.baseline else None,
        "claims": _claims(comparison.claims) if comparison.claims else None,
        "tables": [{"key": i, "metric": keys[i][0], "label": label} for i, label in enumerate(_labels(rows, keys))],
        "axes": [{"letter": letter, "key": cost, "label": AXIS_NAMES[letter],
                  "title": words_of(comparison.metric_of(cost))} for letter, (cost, _) in AXES.items()],
        "groups": [_group(row, keys.index((row.metric, row.examples)), comparison) for row in rows],
        "curves": curves,
        "curvesNote": f"Runs with more than {CURVE_POINTS} logged points show means of neighbouring points."
        + (f" Only the first {CURVE_RUNS} of {runs} runs are drawn." if runs > CURVE_RUNS else ""),
        "differences": _differences(comparison),
        "environment": _environment([run for row in rows for run in row.group.runs]),
        "runs": _runs(rows),
    }  # fmt: skip


def _labels(rows: list[Row], keys: list[tuple[str, str]]) -> list[str]:
    """A label for each pair of dataset and metric; with the data's fingerprint where names are the same."""
    if len(keys) == 1:
        return [""]
    names = {row.examples: row.group.settings["data.name"] for row in rows}
    plain = [f"{names[examples]} {metric}" for metric, examples in keys]
    return [f"{name} ({key[1][:6]})" if plain.count(name) > 1 else name for name, key in zip(plain, keys)]


def _table(shown_columns: list[Column], rows: list[Row]) -> dict[str, Any]:
    return {
        "columns": [{"title": column.title, "numeric": column.numeric} for column in shown_columns],
        "rows": [
            {
                "baseline": row.is_baseline,
                "cells": [
                    {"text": column.cell(row), "value": _sort_key(column.value(row))} for column in shown_columns
                ],
            }
            for row in rows
        ],
    }


def _tests(comparison: Comparison) -> dict[str, Any]:
    return _table(columns_of_tests(comparison.rows), comparison.rows) | {"legend": legend_of_tests(comparison)}


def _sort_key(value: Any) -> float | str | None:
    """The value that a cell is sorted by: the value itself, or the lower end of an interval."""
    if isinstance(value, Interval | Paired):
        return float(value.low)
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _plain(titles: list[str], lines: list[list[str]]) -> dict[str, Any]:
    """A table whose cells are all text."""
    return {
        "columns": [{"title": title, "numeric": False} for title in titles],
        "rows": [{"cells": [{"text": cell, "value": cell} for cell in line]} for line in lines],
    }


def _claims(claims: list[ClaimVerdict]) -> dict[str, Any]:
    lines = [[*claim_cells(claim), claim.source] for claim in claims]
    return _plain([*CLAIM_TITLES, "source"], lines)


def _group(row: Row, table: int, comparison: Comparison) -> dict[str, Any]:
    interval = row.interval
    lines = [row.label]
    if row.mean is not None:
        lines.append(
            f"{row.metric} {row.mean:.4f}" + (f" ({interval.low:.4f}-{interval.high:.4f})" if interval else "")
        )
    chances = {"seeds": row.chances.seeds, "examples": row.chances.examples}
    if all(chances.values()):
        lines += [f"± {found.half:.4f} over {kind}" for kind, found in chances.items() if found]
    lines += [f"parameters {row.costs['cost/params']:,.0f}"] if "cost/params" in row.costs else []
    for cost, _ in AXES.values():
        if cost in row.costs:
            value = row.costs[cost]
            lines.append(
                f"{words_of(comparison.metric_of(cost))}: " + (f"{value:,.0f}" if value >= 10 else f"{value:.3f}")
            )
    return {
        "name": row.label,
        "table": table,
        "score": row.mean,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "chances": {kind: [found.low, found.high] if found else None for kind, found in chances.items()},
        "costs": {cost: row.costs[cost] for cost, _ in AXES.values() if cost in row.costs},
        "fronts": row.fronts,
        "hover": "\n".join([*lines, row.verdict] if row.verdict else lines),
        "seeds": [
            {"seed": run.seed, "value": run.metrics[row.metric], "run": run.identity}
            for run in row.group.members
            if row.metric in run.metrics
        ],
    }


def _curves(rows: list[Row]) -> list[dict[str, Any]]:
    """The learning curves of the first runs, with at most CURVE_POINTS points each."""
    found: list[dict[str, Any]] = []
    for index, row in enumerate(rows):
        for run in row.group.members:
            if len(found) == CURVE_RUNS:
                return found
            series = read_points(run.folder)
            if series:
                found.append({"group": index, "seed": run.seed, "run": run.identity, "series": series})
    return found


def read_points(run_folder: Path) -> dict[str, list[list[float]]]:
    """The logged losses and scores of a run as {metric: [[step, value], ...]}; damaged lines are skipped."""
    try:
        lines = (run_folder / "metrics.jsonl").read_bytes().splitlines()
    except OSError:
        return {}
    series: dict[str, list[list[float]]] = {}
    for line in lines:
        logged = point(line) or {}
        for name, value in logged.items():
            if name not in NO_CURVE and math.isfinite(value):
                series.setdefault(name, []).append([logged["step"], value])
    return {name: _thin(series[name]) for name in sorted(series, key=_by_interest) if len(series[name]) > 1}


def _by_interest(name: str) -> tuple[int, str]:
    """Sort key: the training loss first, then scores, then the metrics of modules."""
    return (0 if name == "train/loss" else 2 if name.startswith(("grad_norm/", "mix/")) else 1), name


def _thin(points: list[list[float]]) -> list[list[float]]:
    """At most CURVE_POINTS points: the means of equally long stretches, each at its last step."""
    stride = math.ceil(len(points) / CURVE_POINTS)
    stretches = [points[start : start + stride] for start in range(0, len(points), stride)]
    return [[part[-1][0], sum(value for _, value in part) / len(part)] for part in stretches]


def _differences(comparison: Comparison) -> dict[str, Any]:
    """The settings that differ: one line for each setting, one column for each group, at most 40 groups."""
    groups = comparison.groups[:40]
    lines = [[key, *(shown_setting(key, group.settings) for group in groups)] for key in comparison.varying]
    return _plain(["setting", *(group.name for group in groups)], lines)


def _environment(runs: list[Run]) -> dict[str, Any]:
    """Machine, versions and code of the runs; where they differ, each value with its number of runs."""
    counts: dict[str, dict[str, int]] = {}
    for run in runs:
        for key, value in flatten(run.record.environment.to_json()).items():
            if value is None:
                continue  # the record does not say
            if key in FACTS or key.startswith("versions."):
                values = counts.setdefault(key, {})
                text = f"{value / 1e9:.1f} GB" if key == "memory_bytes" else setting_text(value)
                values[text] = values.get(text, 0) + 1
    lines = []
    for key in sorted(counts, key=lambda key: (FACTS.index(key) if key in FACTS else len(FACTS), key)):
        values = counts[key]
        text = ", ".join(value if len(values) == 1 else f"{value} ({n} runs)" for value, n in values.items())
        lines.append([key.removeprefix("versions.").replace("memory_bytes", "memory"), text])
    return _plain(["fact", "value"], lines)


def _runs(rows: list[Row]) -> dict[str, Any]:
    lines = [
        [run.identity, row.label, str(run.seed), row.metric, f"{run.metrics[row.metric]:.4f}",
         run.record.started]
        for row in rows for run in row.group.members if row.metric in run.metrics
    ]  # fmt: skip
    return _plain(["run", "group", "seed", "metric", "score", "started"], lines)


def _finite(value: Any) -> Any:
    """Replace numbers that are not finite by None, at any depth."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
