"""The page of one run, report.html in its folder: scores, curves, classes, reliability, costs, settings, what next.

    write_run_page(record, folder)

Made from the record and the stored answers alone, in a few milliseconds; no model and no drawing library is loaded.
Labels, file names and other people's records are escaped.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from data.json_types import Json
from runner.record.baseline import MARK, MEANING, is_at_baseline, no_better_than_ngrams
from runner.record.bounds import is_bound
from runner.record.command import command_line
from runner.record.descriptions import constant_answers
from runner.record.folder import PAGE
from runner.record.identity import flatten
from runner.record.metrics import check
from runner.record.next_step import next_command, output_words, same_data
from runner.record.record import RunRecord
from runner.record.run_names import name_of, setting_text
from runner.record.shown_costs import answer_of, in_mb, size_of
from runner.record.table import summary_rows
from runner.report.answers import class_section, reliability_section, scatter_section
from runner.report.bars import Bar, bars
from runner.report.curves import Curve, curves
from runner.report.markup import Markup, join, tag
from runner.report.page import Section, choices, folded, notes, page, write_page
from runner.report.points import read_points
from runner.report.tables import Heading, facts, table
from runner.tasks import baseline_name, find_task, grades_answers
from runner.version import VERSION

MOST_SERIES = 12  # metrics with a chart of their curves
LOSSES = ("train/loss", "/loss")  # prefixes and suffixes of metrics that share one chart
FACTS = (
    "cpu", "cores", "memory_bytes", "system", "device", "threads", "python", "versions.torch", "code_version",
    "git_commit", "git_dirty", "engine.precision",
)  # fmt: skip


def write_run_page(record: RunRecord, folder: Path) -> Path:
    """Write the page of a finished run and return its path; raise OSError if the folder cannot be written."""
    path = folder / PAGE
    write_page(path, run_page(record, folder))
    return path


def run_page(record: RunRecord, folder: Path) -> str:
    """Return the page of a run, whose answers and points are in the folder."""
    sections = [
        _scores(record),
        *_notes(record),
        *_curves(folder),
        *class_section(record),
        *reliability_section(record, folder),
        *scatter_section(record, folder),
        _costs(record),
        *_stages(record),
        _data(record),
        _settings(record),
        _environment(record),
        _next(record, folder),
    ]
    facts = f"Run {record.identity}, {record.status}, started {record.started}. Bertier {VERSION}."
    return page(name_of(record), sections, facts=facts)


def _scores(record: RunRecord) -> Section:
    """Return the scores, and the headline compared with what models reach without learning."""
    metrics, primary = record.metrics, record.data.primary
    rows = _blocks(record)[0]
    score = metrics.get(primary)
    known = [
        (primary, score, metrics.get(f"{primary}_low"), metrics.get(f"{primary}_high"), 0),
        ("n-gram baseline", metrics.get("baseline/ngram"), metrics.get("baseline/ngram_low"),
         metrics.get("baseline/ngram_high"), 1),
        (baseline_name(record.data.task), metrics.get("baseline/majority"), None, None, 4),
    ]  # fmt: skip
    shown = [
        Bar(name, value, f"{value:.4f}{_interval(low, high)}", low, high, hue)
        for name, value, low, high, hue in known
        if value is not None and value >= 0
    ]
    most = 1.0 if check(primary).unit == "share" else None
    above = tag("div", bars(shown, most=most), class_="headline") if len(shown) > 1 else Markup()
    told = (
        ["Whiskers and brackets: 95 % intervals over the examples."]
        if any(one.low is not None for one in shown)
        else []
    )
    return Section("Scores", join([above, facts(rows)]), "scores", told)


def _interval(low: float | None, high: float | None) -> str:
    return f" [{low:.4f}, {high:.4f}]" if low is not None and high is not None else ""


def _blocks(record: RunRecord) -> list[list[tuple[str, str]]]:
    """Return the rows of the run's table in its blocks: scores, costs, times."""
    blocks: list[list[tuple[str, str]]] = [[]]
    for what, value in summary_rows(record, details=True):
        if what:
            blocks[-1].append((what, value))
        else:
            blocks.append([])
    return blocks


def _notes(record: RunRecord) -> list[Section]:
    found = [*constant_answers(record), *record.notes]
    if is_at_baseline([record.metrics], record.data.primary):
        found.insert(0, f"{MARK}: {MEANING}")
    if sentence := no_better_than_ngrams([record.metrics], record.data.primary):
        found.insert(0, sentence)
    return [Section("Notes", notes(found), "notes")] if found else []


def _curves(folder: Path) -> list[Section]:
    """Return the learning curves: all losses in one chart, then each score."""
    series = read_points(folder)
    losses = [name for name in series if name == LOSSES[0] or name.endswith(LOSSES[1])]
    figures = []
    if losses:
        lines = [Curve(name, series[name], i, name != LOSSES[0]) for i, name in enumerate(losses)]
        figures.append(("loss", curves(lines, x_title="step", y_title="loss", height=260)))
    for name in [name for name in series if name not in losses][: MOST_SERIES - 1]:
        figures.append((name, curves([Curve(name, series[name])], x_title="step", y_title=name, height=260)))
    return [Section("Learning curves", choices(figures), "curves")] if figures else []


def _costs(record: RunRecord) -> Section:
    size, answer = size_of(record.metrics), answer_of(record.metrics)
    rows = [row for block in _blocks(record)[1:] for row in block]
    shown = [f"{size.in_mb()} MB to deploy"] if size and not size.is_nearest else []
    shown += [f"{answer.text(',.0f')} us from a string to its label"] if answer and not answer.is_nearest else []
    return Section("Costs and times", facts(rows), "costs", [", ".join(shown) + "."] if shown else [])


def _stages(record: RunRecord) -> list[Section]:
    """Return the scores and costs after each stage of a chain."""
    if len(record.stages) < 2:
        return []
    primary = record.data.primary
    titles: list[Heading | str] = [
        "stage",
        *(Heading(title, True) for title in (primary, "parameters", "non-zero", "MB", "us", "seconds")),
    ]
    lines = []
    for entry in record.stages:
        found, size, answer = entry.metrics, size_of(entry.metrics), answer_of(entry.metrics)
        numbers = [
            _number(found.get(primary), ".4f"), _number(found.get("cost/params"), ",.0f"),
            _number(found.get("cost/params_nonzero"), ",.0f"), size.in_mb() if size else "",
            answer.text(",.0f") if answer else "", _number(entry.seconds, ",.1f"),
        ]  # fmt: skip
        lines.append([entry.name, *numbers])
    return [Section("Stages", table(titles, lines), "stages")]


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _data(record: RunRecord) -> Section:
    data = record.data
    rows: list[tuple[str, str]] = [("name", data.name or ""), ("source", data.source or ""), ("task", data.task)]
    for title, found in (
        ("rows", data.rows), ("cut texts", data.truncated), ("dropped rows", data.dropped),
    ):  # fmt: skip
        rows += [(f"{title}, {split}", f"{count:,}") for split, count in found.items() if count]
    rows += [(_repeat(key), f"{count:,}") for key, count in data.duplicates.items() if count]
    if data.labels:
        rows.append(
            ("classes", f"{len(data.labels):,}: {', '.join(data.labels[:8])}{' ...' if data.labels[8:] else ''}")
        )
    rows += [("fingerprint", (data.fingerprint or "")[:16]), ("tokenizer", record.tokenizer.source or "")]
    rows += [("vocabulary", f"{record.tokenizer.vocab_size:,}")] if record.tokenizer.vocab_size else []
    return Section("Data", facts([row for row in rows if row[1]]), "data")


def _repeat(key: str) -> str:
    """Return what a count of `data.duplicates` counts, given its key in the record, such as train+test/exact."""
    splits, _, sort = key.partition("/")
    first, _, second = splits.partition("+")
    if sort == "contradicting":
        return f"rows of {second or first} with another label than an equal text of {first}"
    return f"texts of {second} also in {first}, {sort}" if second else f"repeated texts in {first}, {sort}"


def _settings(record: RunRecord) -> Section:
    command = command_line(record)
    flat = flatten(record.config)
    lines = [[key, setting_text(value)] for key, value in sorted(flat.items())]
    whole = folded(f"All {len(lines)} settings", table(["setting", "value"], lines))
    return Section("Settings", join([tag("pre", command), whole]), "settings")


def _environment(record: RunRecord) -> Section:
    found = {key: value for key, value in flatten(record.environment.to_json()).items() if value is not None}
    lines = {key: (key.removeprefix("versions."), _fact(key, value)) for key, value in found.items()}
    others = facts([line for key, line in lines.items() if key not in FACTS])
    shown = facts([lines[key] for key in FACTS if key in lines])
    return Section("Environment", join([shown, folded("More", others)]), "environment")


def _fact(key: str, value: Json) -> str:
    is_memory = key == "memory_bytes" and isinstance(value, int | float)
    return f"{in_mb(float(value))} MB" if is_memory and isinstance(value, int | float) else setting_text(value)


def _next(record: RunRecord, folder: Path) -> Section:
    lines = [
        join([tag("p", what, class_="quiet"), tag("pre", command)])
        for what, command in _commands(record, folder.absolute().parent)
    ]
    return Section("What next", join(lines), "next")


def _commands(record: RunRecord, output: Path) -> Iterator[tuple[str, str]]:
    """Yield what can be done next with a finished run, each with its command. output: the folder of run folders."""
    task, name, place = find_task(record.data.task), record.identity, output_words(output)
    yield "Use the model", next_command(record, output)
    if task is not None and task.is_deployed and not is_bound(record):
        yield "Answer over HTTP on this machine", " ".join(["run serve", name, *place])
        yield "A folder that answers without torch", " ".join(["run export", name, "format=bundle", *place])
    if task is not None and grades_answers(task) and any((output / name).glob("predictions-*.parquet")):
        yield "Where it fails", " ".join(["run errors", name, *place])
    yield "Compare with runs on the same data", " ".join(["run compare", shlex.quote(same_data(record)), *place])
