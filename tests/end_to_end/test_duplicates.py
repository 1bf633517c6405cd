"""Repeated texts, and row numbers of the user's file, in the output, the record and the predictions."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet as pq

from tests.conftest import run_cli

FAST = (
    "model=dsn", "model.tokenizer=train", "model.vocab_size=300", "measure=off", "tracker=none", "train.threads=1",
    "train.epochs=1",
)  # fmt: skip


def test_a_run_says_records_and_locates_repeated_texts(reviews: Path, tmp_path: Path) -> None:
    lines = reviews.read_text(encoding="utf-8").splitlines()
    reviews.write_text("\n".join([*lines, *lines[1:]]) + "\n", encoding="utf-8")
    words = ("data=files", f"data.path={reviews}", "data.text=review", "data.label=stars", *FAST)
    done = run_cli(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (path.parent for path in (tmp_path / "outputs").glob("*/record.json"))
    data = json.loads((folder / "record.json").read_text())["data"]
    repeats = data["duplicates"]["train+test/exact"]
    assert f"note: {data['duplicates']['train+val/exact']} of {data['rows']['val']} texts of val occur in train" in (
        " ".join(done.stdout.split())
    )
    assert 0 < repeats <= data["rows"]["test"] and data["duplicates"]["train+test/contradicting"] == 0
    with reviews.open(encoding="utf-8") as stream:
        stars = {number: row["stars"] for number, row in enumerate(csv.DictReader(stream), 2)}
    table = pq.read_table(folder / "predictions-test.parquet").to_pydict()
    assert table["label_name"] == [stars[number] for number in table["source_row"]]
    assert table["prediction_name"] == [["1", "5"][number] for number in table["prediction"]]
