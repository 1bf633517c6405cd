"""A search on random labels: python -m pytest tests/benchmarks/bench_best.py -s

`run best` searches for the best of several models on 20 tables of random texts with shuffled labels. The reported 95 %
interval should be above one half, the share of each label, in at most 2 of the 20 searches (by chance 2.5 % each).
BEST_SEARCHES is the number of searches, BEST_WORDS sets the arguments of the command.
"""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from runner.record.json_files import read_json
from tests.conftest import REPO

SEARCHES = int(os.environ.get("BEST_SEARCHES", "20"))
WORDS = os.environ.get("BEST_WORDS", "max_kb=100 steps=4").split()
ROWS, MOST = 3000, 2
NOUNS = ("film", "plot", "actor", "scene", "song", "light", "voice", "story", "camera", "joke", "hero", "town", "dance")

pytestmark = pytest.mark.timeout(7200)


def write_table(path: Path, seed: int) -> None:
    """Write texts of random words with both labels equally often, in random order."""
    draw = random.Random(seed)
    labels = ["yes", "no"] * (ROWS // 2)
    draw.shuffle(labels)
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["text", "label"])
        table.writerows([" ".join(draw.choices(NOUNS, k=12)), label] for label in labels)


def test_shuffled_labels_give_no_result(tmp_path: Path) -> None:
    above = []
    for seed in range(SEARCHES):
        write_table(tmp_path / f"{seed}.csv", seed)
        command = [
            sys.executable, "-m", "runner.cli", "best", "data=files", f"data.path={tmp_path}/{seed}.csv",
            "tracker=none", f"paths.output={tmp_path}/out{seed}", f"paths.cache={tmp_path}/cache", *WORDS,
        ]  # fmt: skip
        done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
        (path,) = (tmp_path / f"out{seed}" / "sweeps").glob("*/best.json")
        found = read_json(path) or {}
        metrics = found["metrics"]
        low, score = metrics["test/accuracy_low"], metrics["test/accuracy"]
        print(f"{seed}: {found['winner']}, {score:.4f}, lower end {low:.4f}")
        above.append(low > 0.5)
    print(f"{sum(above)} of {SEARCHES} lower ends are above one half")
    assert sum(above) <= MOST
