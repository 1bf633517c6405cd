"""make bench-rivals: small models against fastText and scikit-learn on the same rows: accuracy, size and latency.

Needs `pip install 'bertier[rivals]'` and a hub. RIVALS_SECONDS (120) is the length of each fastText search,
RIVALS_DATA selects data sets. Everything runs on one thread.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from data.load import load_splits
from data.splits import TokenSplit
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.run import run
from runner.record.predictions import read_predictions
from runner.record.record import RunRecord
from runner.statistics.paired import holm_p_values, mcnemar_p
from runner.tasks.make import target_of
from tests.benchmarks.text_rivals import Rival, Rows, all_rivals

# fmt: off
DATA = {
    "sst2": ["data=sst2"],
    "humaid": [
        "data=imdb", "data.name=humaid", "data.id=QCRI/HumAID-all", "data.config=null", "data.text=tweet_text",
        "data.label=class_label", "data.select_split=validation", "data.report_splits={test: test}",
        "data.metrics=[accuracy]",
    ],
    "imdb": ["data=imdb", "data.max_rows=10000"],
}
OURS = {
    "ngram": ["model=ngram"],
    "ngram, 50 kB": ["model=ngram", "model.max_kb=50"],
    "ngram, 1 MB": ["model=ngram", "model.max_kb=1000"],
    "ngram-vectors": ["model=ngram-vectors"],
    "ngram-vectors, 1 MB": ["model=ngram-vectors", "model.max_kb=1000"],
}
# fmt: on
LIMIT = 1_000_000  # largest size of ours in the comparison, in bytes
RIVALS_LIMIT = 1_200_000  # and of rivals: for "1M", fastText's search has produced files of 1.01 to 1.11 MB
TIMED = 300  # texts on which latency is measured
SIGNIFICANT = 0.05

pytestmark = [pytest.mark.hub, pytest.mark.timeout(7200)]


@dataclass(frozen=True)
class Entry:
    """One model on one data set."""

    name: str
    right: np.ndarray  # (rows,) bool
    bytes_needed: float
    answer_us: float
    train_s: float  # CPU time
    selection: float = 0.0  # accuracy on the selection split; only for ours

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())


def rows_of(split: TokenSplit) -> Rows:
    """The texts and labels of a split, the same as in our own runs."""
    assert split.texts is not None
    columns = split.texts.read(np.arange(len(split.texts)))
    return Rows([str(text) for text in columns["text"]], np.asarray(split.labels.values).tolist())


def time_rival(rival: Rival, train: Rows, select: Rows, report: Rows) -> Entry:
    """Fit a rival, time it text by text, and predict all reported rows."""
    begun = time.process_time()
    rival.fit(train, select)
    spent = time.process_time() - begun
    times = []
    for text in report.texts[:TIMED]:
        start = time.perf_counter_ns()
        rival.answer([text])
        times.append((time.perf_counter_ns() - start) / 1e3)
    right = np.asarray(rival.answer(report.texts)) == np.asarray(report.labels)
    return Entry(rival.name, right, rival.bytes_needed(), float(np.median(times)), spent)


def time_ours(name: str, words: Sequence[str], output: Path) -> Entry:
    """Run one of our models twice: for the CPU time from texts to a saved model, and for its recorded metrics."""
    common = [*words, "tracker=none", "baseline.ngram=off", "train.threads=1", "measure.baseline=null"]
    begun = time.process_time()
    alone = output / "alone" / name.replace(",", "").replace(" ", "-")
    make([*common, "measure=off", f"paths.output={alone}", f"paths.cache={alone / 'cache'}"])
    spent = time.process_time() - begun
    record = make([*common, f"paths.output={output}", f"paths.cache={output / 'cache'}"])
    split = record.data.primary.partition("/")[0]
    answers = read_predictions(output / record.identity, split, record)
    right = np.asarray(answers.columns["label"]) == np.asarray(answers.columns["prediction"])
    metrics = record.metrics
    costs = metrics["cost/bytes_deployed"], metrics["speed/answer_us_p50"]
    return Entry(name, right, *costs, spent, metrics[str(record.data.selection)])


def make(overrides: list[str]) -> RunRecord:
    """Run these overrides and return the record."""
    outcome = run(resolve(compose(overrides)), overrides)
    assert outcome.exit_code == 0 and outcome.record is not None
    return outcome.record


def show(title: str, entries: Sequence[Entry]) -> None:
    """Print the table of one data set."""
    table = Table(title=title, title_justify="left")
    for column in ("model", "accuracy", "± examples", "kB", "us an answer", "training, CPU s"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for one in entries:
        half = 1.96 * (one.accuracy * (1 - one.accuracy) / len(one.right)) ** 0.5
        costs = (f"{one.bytes_needed / 1e3:,.0f}", f"{one.answer_us:,.1f}", f"{one.train_s:,.1f}")
        table.add_row(one.name, f"{one.accuracy:.4f}", f"{half:.4f}", *costs)
    Console(width=100).print(table)


def compare(ours: Entry, theirs: Entry) -> tuple[float, float]:
    """The accuracy difference on the same rows, ours minus theirs, and McNemar's p-value."""
    only_ours, only_theirs = int((ours.right & ~theirs.right).sum()), int((theirs.right & ~ours.right).sum())
    return ours.accuracy - theirs.accuracy, mcnemar_p(only_ours, only_theirs)


@pytest.mark.skipif(importlib.util.find_spec("fasttext") is None, reason="pip install 'bertier[rivals]'")
def test_small_models_are_behind_no_rival(tmp_path: Path) -> None:
    chosen = os.environ.get("RIVALS_DATA", ",".join(DATA)).split(",")
    seconds = int(os.environ.get("RIVALS_SECONDS", "120"))
    outcomes: list[tuple[str, float, float]] = []
    for name in chosen:
        settings = resolve(compose([*DATA[name], "model=ngram"]))
        splits = load_splits(
            settings.data, tokenizer="words", vocab_size=0, cache=tmp_path / "cache", target=target_of(settings)
        )
        train, select, report = (rows_of(part) for part in (splits.train, splits.select, splits.report[0]))
        theirs = [time_rival(rival, train, select, report) for rival in all_rivals(seconds)]
        ours = [time_ours(title, [*DATA[name], *words], tmp_path / name) for title, words in OURS.items()]
        show(f"{name}: {len(train.texts):,} training rows, {len(report.texts):,} reported", [*theirs, *ours])
        small = [one for one in ours if one.bytes_needed <= LIMIT]
        best = max(small, key=lambda one: one.selection)
        outcomes += [
            (f"{name}, {rival.name}", *compare(best, rival)) for rival in theirs if rival.bytes_needed <= RIVALS_LIMIT
        ]
    adjusted = holm_p_values([p for _, _, p in outcomes])
    for (where, difference, _), p in zip(outcomes, adjusted):
        said = f"{100 * difference:+.2f} points, p (Holm) {p:.3f}"
        print(f"ours under 1 MB, chosen on the selection split, against {where}: {said}")
    behind = [where for (where, difference, _), p in zip(outcomes, adjusted) if difference < 0 and p < SIGNIFICANT]
    assert not behind, f"significantly behind: {', '.join(behind)}"
