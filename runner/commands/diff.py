"""`run diff A B`: whether two runs differ by more than chance, and the settings and metrics that differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from data.json_types import JsonObject
from runner.commands.options import output_folder, parse_options
from runner.compare.pairs import Paired, compare_runs, correct_for_all_tests
from runner.compare.select import Run
from runner.errors import ConfigError
from runner.record.baseline import MARK, MEANING, is_at_baseline
from runner.record.folder import find_record
from runner.record.identity import affects_identity, flatten
from runner.record.metrics import direction
from runner.record.next_step import output_words
from runner.record.record import RunRecord
from runner.record.run_names import names_of, setting_text
from runner.record.table import say_below, widen
from runner.sanitize import escape

if TYPE_CHECKING:
    from rich.console import Console

ALL = "--all"
# Facts other than settings that a result depends on, and facts that a time depends on.
FACTS = (
    "data.fingerprint", "tokenizer.fingerprint", "weights.fingerprint", "environment.code_version",
    "environment.git_commit", "environment.versions.torch", "environment.cpu", "environment.cores",
    "environment.device", "environment.threads", "environment.engine.gemm",
)  # fmt: skip


def main(words: list[str]) -> int:
    """Print what differs between two runs; 0 unless the command is wrong."""
    is_whole = ALL in words
    words = [word for word in words if word != ALL]
    names = [word for word in words if "=" not in word]
    chosen = parse_options("diff", [word for word in words if "=" in word], **{"paths.output": "outputs"})
    if len(names) != 2:
        raise ConfigError(f"run diff: two runs are needed, not {len(names)}. Their ids: run list runs")
    output = output_folder(chosen["paths.output"])
    first, second = (_run(output, name) for name in names)
    from rich.console import Console

    console = Console(highlight=False)
    widen(console)
    for line in verdicts(first, second):
        say_below(line, console)
    console.print()
    names = names_of([first.record, second.record])
    titles = [f"{run.identity} {name}" for run, name in zip((first, second), names)]
    _print(console, "settings that differ", ["setting", *titles], changed_settings(first, second))
    moved = changed_metrics(first, second)
    shown = [line for line in moved if is_whole or not _is_timing(line[0])]
    _print(console, "metrics that moved", ["metric", first.identity, second.identity, "moved"], shown)
    if hidden := len(moved) - len(shown):
        command = " ".join(["run diff", first.identity, second.identity, ALL, *output_words(output)])
        say_below(f"and {hidden} of time and speed: {command}", console)
    return 0


def _run(output: Path, name: str) -> Run:
    record = find_record(output, name)
    return Run(record, output / record.identity)


def changed_settings(first: Run, second: Run) -> list[list[str]]:
    """Return each setting that differs, with both values; a setting without effect on the result is marked."""
    flat = [run.settings | _facts(run.record) for run in (first, second)]
    lines = []
    for key in dict.fromkeys([*flat[0], *flat[1]]):
        values = [setting_text(side[key]) if key in side else "(absent)" for side in flat]
        if values[0] != values[1] and not key.endswith("description"):
            lines.append([key if affects_identity(key) else f"{key} (no effect on the result)", *values])
    return lines


def _facts(record: RunRecord) -> JsonObject:
    flat = flatten(record.to_json())
    known = [key for key in FACTS if flat.get(key) is not None]
    return {key: flat[key][:12] if key.endswith(("fingerprint", "git_commit")) else flat[key] for key in known}


def changed_metrics(first: Run, second: Run) -> list[list[str]]:
    """Return each metric that differs, with both values and the change; facts such as the load are left out."""
    lines = []
    for name in dict.fromkeys([*first.metrics, *second.metrics]):
        a, b = (run.metrics.get(name) for run in (first, second))
        if a != b and direction(name) != "none":
            lines.append([name, _number(a), _number(b), _moved(a, b)])
    return lines


def _is_timing(metric: str) -> bool:
    """Does a metric depend on how busy the machine was?"""
    return metric.startswith(("time/", "speed/")) or metric.endswith("_per_s")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _moved(a: float | None, b: float | None) -> str:
    """Return the change in words: +1.5% for a small one, x 0.04 for a large one, -0.3 if there is no ratio."""
    if a is None or b is None:
        return ""
    if a <= 0 or b <= 0:  # of correlations a ratio means nothing, nor one to 0
        return f"{b - a:+.4g}"
    ratio = b / a
    return f"{ratio - 1:+.1%}" if 0.5 <= ratio <= 2 else f"x {ratio:.3g}"


def verdicts(first: Run, second: Run) -> list[str]:
    """Return one sentence for each score of the reported split: is the second run different from the first?"""
    split, _, headline = second.primary.partition("/")
    scores = dict.fromkeys([headline, *second.record.scores])
    found = {f"{split}/{score}": compare_runs([(second, first)], f"{split}/{score}") for score in scores}
    correct_for_all_tests(iter(found.values()))
    low = [run.identity for run in (second, first) if is_at_baseline([run.metrics], run.primary)]
    sentences = []
    for metric, test in found.items():
        sentence = f"{metric}: {second.identity} against {first.identity}: {test.in_words()}"
        if isinstance(test, Paired):
            interval = f"{test.difference:+.4f}, 95 % {test.low:+.4f} to {test.high:+.4f}"
            sentence += f" ({interval}; {test.test} on {test.examples} {test.units}, Holm's p = {test.p_holm:.2g})"
        sentences.append(sentence)
    return sentences + ([f"{' and '.join(low)}: {MARK}, {MEANING}"] if low else [])


def _print(console: Console, title: str, titles: list[str], lines: list[list[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    if not lines:
        console.print(f"{title}: none")
        return
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    numbers = len(titles) > 3
    for place, heading in enumerate(titles):
        numeric = numbers and place > 0
        table.add_column(escape(heading), justify="right" if numeric else "left", overflow="fold", no_wrap=numbers)
    for line in lines:
        table.add_row(*(escape(cell) for cell in line))
    console.print(table)
