"""Known losses of the first four steps of each kind of run (eight if pruned); refactoring must not change them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conftest import run_cli, write_reviews

COMMON = [
    "train.steps=4", "train.batch_size=8", "train.threads=1", "optimizer.lr=1e-3", "engine.gemm=default",
    "tracker=none", "measure=off", "model.tokenizer=train", "model.vocab_size=300", "data.max_length=32",
]  # fmt: skip
DEMO = ["data=demo", "data.demo_rows=200"]
REVIEWS = ["data=files", "data.path=reviews.csv", "data.text=review", "data.label=stars", "model.pretrained=null"]
BERT = ["model=bert-tiny", "model.layers=2", "model.hidden=32", "model.heads=2"]
GOLDEN: dict[str, tuple[list[str], list[float]]] = {
    "an encoder": ([*BERT, *DEMO], [0.685218, 0.694213, 0.66011, 0.70812]),
    "a bag of words": (["model=dsn", *DEMO], [0.687064, 0.693814, 0.674227, 0.693238]),
    "pairs": ([*BERT, "data=demo-pairs", "data.demo_rows=200"], [1.10097, 1.098858, 1.091953, 1.105204]),
    "regression": (
        [*BERT, "model.pretrained=null", "data=files", "data.path=rows.csv", "data.text=text", "data.label=score"],
        [0.301201, 0.467624, 0.414441, 0.271513],
    ),
    "masked words": (["task=mlm", *BERT, *DEMO], [5.872371, 5.652447, 5.688157, 5.675344]),
    "a mix of layers": (
        ["model=bermo", "model.layers=2", "model.hidden=32", "model.heads=2", *DEMO],
        [0.685068, 0.693961, 0.660871, 0.707961],
    ),
    "hashed letters": (
        ["model=eelbert", "model.layers=2", "model.hidden=32", "model.heads=2", *DEMO],
        [0.688587, 0.693069, 0.668172, 0.706355],
    ),
    "a pruning": (
        [*BERT, *DEMO, "compression=[magnitude]"],
        [0.685218, 0.694213, 0.66011, 0.70812, 0.666371, 0.691137, 0.641706, 0.711016],
    ),
    "a distillation": (
        [*BERT, *REVIEWS, "compression=[distil]", "compression.distil.teacher="],
        [0.344911, 0.363702, 0.35285, 0.350152],
    ),
}


@pytest.mark.parametrize("kind", GOLDEN)
def test_the_first_losses_are_those_of_the_first_release(kind: str, tmp_path: Path) -> None:
    words, golden = GOLDEN[kind]
    write_reviews(tmp_path / "reviews.csv")
    rows = [f"{['good', 'fine', 'bad', 'dull'][i % 4]} film {i},{(i * 7) % 11 / 10}" for i in range(120)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,score", *rows, ""]), encoding="utf-8")
    if words[-1].endswith("teacher="):
        trained = made(["model=dsn", *REVIEWS, *COMMON, "train.steps=100", "optimizer.lr=1e-2"], tmp_path)
        words = [*words[:-1], words[-1] + str(trained / "model")]
    folder = made([*words, *COMMON], tmp_path)
    points = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    losses = [point["train/loss"] for point in points if "train/loss" in point]
    assert losses == pytest.approx(golden, rel=5e-4)  # processors round differently


def made(words: list[str], cwd: Path) -> Path:
    """The folder of the run with these overrides; for a chain, that of its last run."""
    done = run_cli(*words, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return Path(re.findall(r"^recorded in (.+)$", done.stdout, re.M)[-1])
