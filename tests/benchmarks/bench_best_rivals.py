"""make bench-best: `run best` against TF-IDF with logistic regression and fastText, both inside the same bytes.

Needs `pip install 'bertier[rivals]'` and a hub. BEST_DATA names some of the data sets, BEST_KB the cap (1000),
BEST_MINUTES the length of our search and of fastText's (10). Everything runs on the same rows; rivals have one thread.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from datasets import load_dataset

from data.load import load_splits
from data.splits import TokenSplit
from runner.commands.best import search
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.record.folder import find_record
from runner.record.predictions import read_predictions
from runner.statistics.paired import holm_p_values
from runner.tasks.make import target_of
from tests.benchmarks.bench_rivals import DATA, SIGNIFICANT, Entry, compare, show, time_rival
from tests.benchmarks.text_rivals import FastText, PrunedTfidf, Rival, Rows

SETS = DATA | {
    "mrpc": ["data=mrpc", "data.metrics=[accuracy]"],
    "snli": ["data=snli"],
    "cola": ["data=cola", "data.metrics=[accuracy]"],
    "turkish-films": ["data=imdb", "data.name=turkish-films", "data.id=bertier/turkish-movie-sentiment",
                      "data.config=null", "data.select_split=validation", "data.metrics=[accuracy]"],
}  # fmt: skip
LABEL_SETS = {"go_emotions": "google-research-datasets/go_emotions"}  # only their rows of one label are used
MANY = 2000  # reported rows, from which on a single difference says something
WORST = -0.015  # of a single difference on so many rows

pytestmark = [pytest.mark.hub, pytest.mark.timeout(36_000)]


def words_of(name: str, folder: Path) -> list[str]:
    """The overrides that read a data set; rows of one label are written to `folder` first."""
    if name not in LABEL_SETS:
        return SETS[name]
    folder.mkdir(parents=True, exist_ok=True)
    loaded = load_dataset(LABEL_SETS[name])
    names = {"train": "train", "val": "validation", "test": "test"}
    for part, split in names.items():
        frame = loaded[split].to_pandas()
        frame = frame[frame["labels"].str.len() == 1]
        frame.assign(label=frame["labels"].str[0])[["text", "label"]].to_csv(folder / f"{part}.csv", index=False)
    paths = [f"data.{part}_path={folder / part}.csv" for part in names]
    return ["data=files", f"data.name={name}", *paths, "data.metrics=[accuracy]"]


def rows_of(split: TokenSplit) -> Rows:
    """The texts and labels of a split; of a pair both texts, one after the other."""
    assert split.texts is not None
    columns = split.texts.read(np.arange(len(split.texts)))
    texts = [" || ".join(map(str, parts)) for parts in zip(*columns.values())]
    return Rows(texts, np.asarray(split.labels.values).tolist())


def rivals_within(kb: float, seconds: int) -> list[Rival]:
    """The rivals whose models have at most so many kilobytes."""
    return [PrunedTfidf(most=1000 * kb), FastText(f"fastText autotune {kb:g}K", f"{kb:g}K", seconds)]


def ours_within(words: list[str], kb: float, minutes: float, output: Path) -> Entry:
    """The winner of our search on the reported rows."""
    paths = [f"paths.output={output}", f"paths.cache={output.parent / 'cache'}", "tracker=none"]
    found = search([*words, f"max_kb={kb:g}", f"minutes={minutes:g}", *paths])
    record = find_record(output, found.run)
    answers = read_predictions(output / record.identity, record.data.primary.partition("/")[0], record)
    assert answers is not None
    right = np.asarray(answers["label"]) == np.asarray(answers["prediction"])
    metrics = record.metrics
    costs = metrics["cost/bytes_deployed"], metrics["speed/answer_us_p50"]
    return Entry(f"run best: {found.winner}", right, *costs, 60 * minutes)


@pytest.mark.skipif(importlib.util.find_spec("fasttext") is None, reason="pip install 'bertier[rivals]'")
def test_a_search_is_behind_no_rival(tmp_path: Path) -> None:
    chosen = os.environ.get("BEST_DATA", ",".join([*SETS, *LABEL_SETS])).split(",")
    kb, minutes = float(os.environ.get("BEST_KB", "1000")), float(os.environ.get("BEST_MINUTES", "10"))
    outcomes: list[tuple[str, float, float, int]] = []
    for name in chosen:
        words = words_of(name, tmp_path / f"{name}-rows")
        settings = resolve(compose([*words, "model=ngram"]))
        splits = load_splits(
            settings.data, tokenizer="words", vocab_size=0, cache=tmp_path / "cache", target=target_of(settings)
        )
        train, select, report = (rows_of(part) for part in (splits.train, splits.select, splits.report[0]))
        ours = ours_within(words, kb, minutes, tmp_path / name)
        theirs = [time_rival(rival, train, select, report) for rival in rivals_within(kb, round(60 * minutes))]
        show(f"{name}: {len(train.texts):,} training rows, {len(report.texts):,} reported", [*theirs, ours])
        assert ours.bytes_needed <= 1000 * kb
        best = max(theirs, key=lambda one: one.accuracy)
        outcomes.append((f"{name}, {best.name}", *compare(ours, best), len(report.texts)))
    adjusted = holm_p_values([p for _, _, p, _ in outcomes])
    for (where, difference, _, rows), p in zip(outcomes, adjusted):
        print(f"against {where}: {100 * difference:+.2f} points on {rows:,} rows, p (Holm) {p:.3f}")
    mean = float(np.mean([difference for _, difference, _, _ in outcomes]))
    print(f"mean difference: {100 * mean:+.2f} points")
    behind = [where for (where, difference, _, _), p in zip(outcomes, adjusted) if difference < 0 and p < SIGNIFICANT]
    behind += [where for where, difference, _, rows in outcomes if rows >= MANY and difference < WORST]
    assert not behind, f"behind: {', '.join(behind)}"
    assert mean >= 0
