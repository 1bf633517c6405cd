"""make bench-best-labels: `run best` with few labels, against logistic regression on a frozen MiniLM.

    LABELS_DATA=sst2 LABELS_DRAWS=0,1 LABELS_KEEP=build/labels python -m tests.benchmarks.bench_best_labels

For each data set and each seed in LABELS_DRAWS (0,1,2,3,4), LABELS_ROWS (1000) training rows are drawn at random. Three
models learn from them: `frozen`, logistic regression on an unchanged MiniLM; `free`, the winner of `run best` without a
size limit; `small`, its winner within 1 MB, which also gets up to LABELS_UNLABELLED (20000) texts of other training
rows. All predict the same LABELS_REPORTED (2000) reported rows, drawn once. Results are stored in LABELS_KEEP
(build/labels) and not computed again; the table shows all of them. LABELS_ARMS selects models, LABELS_MINUTES (10) is
the length of a search, LABELS_THREADS (1) its number of parallel one-thread runs. Needs a hub, or its cache.
"""

from __future__ import annotations

import csv
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.bench_best_rivals import SETS, Setup, keep_ours, keep_run, read_parts
from tests.benchmarks.bench_rivals import make
from tests.benchmarks.kept_answers import Kept, path_of, read_kept
from tests.benchmarks.text_rivals import Rows

DATA = ("imdb", "sst2", "humaid", "turkish-films")
ARMS = ("frozen", "free", "small")
KB = 1000
FROZEN = "model=frozen model.pretrained=sentence-transformers/all-MiniLM-L6-v2 data.folds=5 data.fold=all"


def number(name: str, default: int) -> int:
    """The number in the environment variable LABELS_`name`."""
    return int(os.environ.get(f"LABELS_{name}") or default)


def write_texts(path: Path, rows: Rows, chosen: Sequence[int], *, is_labelled: bool = True) -> None:
    """Write the chosen rows as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["text", "label"] if is_labelled else ["text"])
        table.writerows([rows.texts[one], f"c{rows.labels[one]}"][: 1 + is_labelled] for one in chosen)


def draw_rows(train: Rows, report: Rows, draw: int, folder: Path) -> list[str]:
    """Write the rows of a draw to `folder`; return the overrides that read them."""
    folder.mkdir(parents=True, exist_ok=True)
    order = random.Random(draw).sample(range(len(train.texts)), len(train.texts))
    count, more = number("ROWS", 1000), number("UNLABELLED", 20_000)
    reported = random.Random(0).sample(range(len(report.texts)), min(len(report.texts), number("REPORTED", 2000)))
    labelled = with_two_of_each(order[:count], train.labels)
    write_texts(folder / "train.csv", train, labelled)
    write_texts(folder / "unlabelled.csv", train, order[count : count + more], is_labelled=False)
    known = {train.labels[one] for one in labelled}
    write_texts(folder / "test.csv", report, sorted(one for one in reported if report.labels[one] in known))
    return ["data=files", f"data.train_path={folder}/train.csv", f"data.test_path={folder}/test.csv",
            "data.metrics=[accuracy]"]  # fmt: skip


def with_two_of_each(rows: Sequence[int], labels: Sequence[int]) -> list[int]:
    """The rows without those of classes that have only one, which a search would refuse."""
    counts = np.bincount([labels[one] for one in rows])
    return [one for one in rows if counts[labels[one]] > 1]


def run_draw(name: str, draw: int, arms: Sequence[str], setup: Setup) -> None:
    """Train the models of one draw whose results are not stored yet."""
    title = f"{name}.{draw}"
    missing = [arm for arm in arms if not path_of(setup.folder, title, arm, setup.kb).exists()]
    if not missing:
        return
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        train, _, report = read_parts(SETS[name], work / "cache")
        words = draw_rows(train, report, draw, work / "rows")
        for arm in missing:
            print(f"{title}: {arm}", flush=True)
            if arm == "frozen":
                keep_frozen(title, words, setup, work)
            else:
                own = [f"max_kb={KB}", f"unlabelled={work}/rows/unlabelled.csv"] if arm == "small" else []
                keep_ours(title, arm, [*words, *own], setup, work)


def keep_frozen(title: str, words: Sequence[str], setup: Setup, work: Path) -> None:
    """Fit the last layer of a frozen MiniLM to all labelled rows, and store its answers."""
    output, begun = work / "frozen", time.monotonic()
    paths = [f"paths.output={output}", f"paths.cache={work / 'cache'}", "tracker=none", "measure=quick"]
    record = make([*words, *FROZEN.split(), *paths, "baseline.ngram=off", "train.threads=1"])
    keep_run(title, "frozen", "frozen MiniLM + LR", record, output, setup, time.monotonic() - begun, {})


def table_of_draws(kept: Sequence[Kept]) -> list[str]:
    """Return a Markdown table, one row per data set: means over the draws for which all models are stored."""
    lines = ["| data, draws | frozen MiniLM + LR | `run best` | `run best`, 1 MB | ahead of frozen | 1 MB behind |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    by_set: dict[str, list[dict[str, Kept]]] = {}
    for title in dict.fromkeys(one.data for one in kept):
        arms = {one.arm: one for one in kept if one.data == title}
        if {*ARMS} <= set(arms):
            by_set.setdefault(title.rpartition(".")[0], []).append(arms)
    for name, draws in by_set.items():
        scores = np.array([[arms[arm].accuracy for arm in ARMS] for arms in draws])
        frozen, free, small = scores.mean(0)
        spread = f" ± {100 * (scores[:, 1] - scores[:, 0]).std(ddof=1):.1f}" if len(draws) > 1 else ""
        ahead, behind = f"{100 * (free - frozen):+.1f}{spread} points", f"{100 * (free - small):.1f} points"
        lines.append(f"| {name}, {len(draws)} | {frozen:.3f} | {free:.3f} | {small:.3f} | {ahead} | {behind} |")
    winners = [f"{one.data} {one.arm}: {one.name} ({one.bytes_needed / 1000:,.0f} KB)" for one in kept]
    return [*lines, "", "±: standard deviation of the difference over the draws.", *winners]


def main() -> int:
    """Train the missing models, and print the table of all stored results."""
    chosen = [name for name in os.environ.get("LABELS_DATA", ",".join(DATA)).split(",") if name]
    draws = [int(one) for one in os.environ.get("LABELS_DRAWS", "0,1,2,3,4").split(",")]
    arms = os.environ.get("LABELS_ARMS", ",".join(ARMS)).split(",")
    folder = Path(os.environ.get("LABELS_KEEP", "build/labels"))
    minutes = float(os.environ.get("LABELS_MINUTES", "10"))
    setup = Setup(KB, minutes, number("THREADS", 1), folder)
    for name in chosen:
        for draw in draws:
            run_draw(name, draw, arms, setup)
    print("\n".join(table_of_draws(read_kept(folder))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
