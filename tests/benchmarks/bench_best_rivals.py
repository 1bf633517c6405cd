"""make bench-best: `run best` against fastText and TF-IDF with logistic regression, all within the same size limit.

    BEST_DATA=sst2,cola BEST_KEEP=build/best python -m tests.benchmarks.bench_best_rivals    run these, show all
    BEST_DATA= BEST_KEEP=build/best python -m tests.benchmarks.bench_best_rivals             show the stored results

Needs `pip install 'bertier[rivals]'`, and a hub or its cache. A file per model and data set in BEST_KEEP (build/best)
stores which rows were predicted correctly. Stored results are not computed again, and the tests use all of them,
whatever call or machine they are from. Environment variables:

    BEST_DATA      names of data sets (all)               BEST_KB       the size limit in KB (1000)
    BEST_ARMS      of ours,tfidf,fasttext (all)           BEST_MINUTES  of our search and of fastText's (10)
    BEST_THREADS   threads of fastText's search, and parallel one-thread runs of ours (1)

All models use the same rows. Exit code 1: ours is behind on a data set, or over the size limit.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from datasets import load_dataset

from data.load import load_splits
from data.splits import TokenSplit
from runner.commands.best import search
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.machine.threads import set_threads
from runner.record.folder import find_record
from runner.record.predictions import read_predictions
from runner.record.record import RunRecord
from runner.tasks.make import target_of
from tests.benchmarks.bench_rivals import DATA, TIMED
from tests.benchmarks.kept_answers import (
    Kept,
    as_right,
    behind,
    comparisons,
    digest_of,
    keep,
    over_budget,
    path_of,
    read_kept,
    table_of,
)
from tests.benchmarks.text_rivals import FastText, PrunedTfidf, Rival, Rows

SETS = DATA | {
    "mrpc": ["data=mrpc", "data.metrics=[accuracy]"],
    "snli": ["data=snli"],
    "cola": ["data=cola", "data.metrics=[accuracy]"],
    "turkish-films": ["data=imdb", "data.name=turkish-films", "data.id=bertier/turkish-movie-sentiment",
                      "data.config=null", "data.select_split=validation", "data.metrics=[accuracy]"],
}  # fmt: skip
LABEL_SETS = {"go_emotions": "google-research-datasets/go_emotions"}  # only rows with exactly one label are used
RIVALS = ("tfidf", "fasttext")


@dataclass(frozen=True)
class Setup:
    """Settings shared by all models."""

    kb: float
    minutes: float
    threads: int
    folder: Path  # for stored results

    @property
    def facts(self) -> dict[str, object]:
        """The minutes, threads and machine, which are stored with each result."""
        return {
            "minutes": self.minutes,
            "threads": self.threads,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        }


def words_of(name: str, folder: Path) -> list[str]:
    """The overrides that read a data set; of LABEL_SETS, rows with one label are first written to `folder`."""
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


def read_parts(words: Sequence[str], cache: Path) -> tuple[Rows, Rows, Rows]:
    """The training, selection and reported rows."""
    settings = resolve(compose([*words, "model=ngram"]))
    splits = load_splits(settings.data, tokenizer="words", vocab_size=0, cache=cache, target=target_of(settings))
    return rows_of(splits.train), rows_of(splits.select), rows_of(splits.report[0])


def rows_of(split: TokenSplit) -> Rows:
    """The texts and labels of a split; the texts of a pair are joined with ||."""
    assert split.texts is not None
    columns = split.texts.read(np.arange(len(split.texts)))
    texts = [" || ".join(map(str, parts)) for parts in zip(*columns.values())]
    return Rows(texts, np.asarray(split.labels.values).tolist())


def rival_of(arm: str, setup: Setup) -> Rival:
    """The rival model, limited to `setup.kb`."""
    if arm == "tfidf":
        return PrunedTfidf(most=1000 * setup.kb)
    return FastText("fastText", f"{setup.kb:g}K", round(60 * setup.minutes), setup.threads)


def keep_rival(name: str, arm: str, parts: tuple[Rows, Rows, Rows], setup: Setup) -> None:
    """Fit a rival, time it text by text, and store its answers to the reported rows."""
    train, select, report = parts
    rival, begun = rival_of(arm, setup), time.monotonic()
    rival.fit(train, select)
    seconds, times = time.monotonic() - begun, list[float]()
    for text in report.texts[:TIMED]:
        start = time.perf_counter_ns()
        rival.answer([text])
        times.append((time.perf_counter_ns() - start) / 1e3)
    right, digest = as_right(rival.answer(report.texts), report.labels), digest_of(report.labels)
    size, micros, facts = rival.bytes_needed(), float(np.median(times)), setup.facts
    keep(setup.folder, Kept(name, arm, rival.name, setup.kb, right, digest, size, micros, seconds, facts))


def keep_ours(name: str, arm: str, words: Sequence[str], setup: Setup, work: Path) -> None:
    """Search with these overrides, and store the winner's answers to the reported rows."""
    output, begun = work / f"{name}-{arm}", time.monotonic()
    paths = [f"paths.output={output}", f"paths.cache={work / 'cache'}", "tracker=none"]
    found = search([*words, f"minutes={setup.minutes:g}", f"jobs={setup.threads}", *paths])
    if found.status == "interrupted":  # its winner is only the best so far
        raise KeyboardInterrupt
    seconds, record = time.monotonic() - begun, find_record(output, found.run)
    facts = {
        "overrides": found.overrides, "compared": found.compared, "steps": f"{found.done} of {found.planned}",
        "corrected": found.corrected,
    }  # fmt: skip
    keep_run(name, arm, str(found.winner), record, output, setup, seconds, facts, found.bundle_bytes)


def keep_run(
    name: str, arm: str, title: str, record: RunRecord, output: Path, setup: Setup, seconds: float,
    facts: dict[str, object], size: float | None = None,
) -> None:  # fmt: skip
    """Store the answers of a finished run to the reported rows; size: bytes of its bundle, if it has one."""
    answers = read_predictions(output / record.identity, record.data.primary.partition("/")[0], record)
    assert answers is not None
    labels = np.asarray(answers["label"]).tolist()
    right, digest = as_right(np.asarray(answers["prediction"]).tolist(), labels), digest_of(labels)
    size, micros = size or record.metrics["cost/bytes_deployed"], record.metrics["speed/answer_us_p50"]
    keep(setup.folder, Kept(name, arm, title, setup.kb, right, digest, size, micros, seconds, setup.facts | facts))


def run_set(name: str, arms: Sequence[str], setup: Setup) -> None:
    """Run the models of one data set whose results are not stored yet."""
    missing = [arm for arm in arms if not path_of(setup.folder, name, arm, setup.kb).exists()]
    if not missing:
        return
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        words = words_of(name, work / f"{name}-rows")
        parts = read_parts(words, work / "cache") if set(RIVALS) & set(missing) else None
        for arm in missing:
            print(f"{name}: {arm}", flush=True)
            if arm == "ours":
                keep_ours(name, arm, [*words, f"max_kb={setup.kb:g}"], setup, work)
            elif parts is not None:
                keep_rival(name, arm, parts, setup)


def main() -> int:
    """Run the missing models, print the table of all stored results, and return the exit code."""
    set_threads(1)  # for scikit-learn; our runs set their own
    chosen = [name for name in os.environ.get("BEST_DATA", ",".join([*SETS, *LABEL_SETS])).split(",") if name]
    arms = os.environ.get("BEST_ARMS", ",".join(("ours", *RIVALS))).split(",")
    number = {key: float(os.environ.get(f"BEST_{key}", "0")) for key in ("KB", "MINUTES", "THREADS")}
    folder = Path(os.environ.get("BEST_KEEP", "build/best"))
    setup = Setup(number["KB"] or 1000, number["MINUTES"] or 10, int(number["THREADS"]) or 1, folder)
    unknown = [*({*chosen} - {*SETS, *LABEL_SETS}), *({*arms} - {"ours", *RIVALS})]
    if unknown:
        print(f"{', '.join(unknown)}: expected {', '.join([*SETS, *LABEL_SETS])}; and ours, {', '.join(RIVALS)}")
        return 2
    for name in chosen:
        run_set(name, arms, setup)
    found = list(comparisons(read_kept(folder), setup.kb, RIVALS))
    if not found:
        print(f"{folder} has no data set of which ours, {' and '.join(RIVALS)} are kept")
        return 0
    print("\n".join(table_of(found)))
    return 1 if behind(found) or over_budget(found) else 0


if __name__ == "__main__":
    sys.exit(main())
