"""The lengths of a run's model as files and as a table."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

from rich.console import Console

from runner.record.lengths import lengths_table, read_lengths, write_lengths

CHOICES = [
    {"lengths": [0.5, 1.0], "share": 0.6, "score": 0.8, "ms": 1.25, "tokens": 20},
    {"lengths": [], "share": 1.0, "score": 0.9, "ms": None, "tokens": 20},
]


def write_model(folder: Path) -> None:
    (folder / "model").mkdir()
    entry = {"method": "length", "mode": "ratio", "lengths": [0.5, 1.0], "choices": CHOICES}
    (folder / "model" / "config.json").write_text(json.dumps({"compressed": [entry]}), encoding="utf-8")


def test_files_have_a_row_for_each_choice_and_say_which_is_the_models_own(tmp_path: Path) -> None:
    write_model(tmp_path)
    write_lengths(tmp_path)
    rows = list(csv.DictReader((tmp_path / "lengths.csv").open(encoding="utf-8")))
    assert [(row["lengths"], row["is_own"]) for row in rows] == [("0.5 1.0", "True"), ("", "False")]
    assert json.loads((tmp_path / "lengths.json").read_text())["choices"][0]["share"] == 0.6


def test_the_table_shows_costs_and_the_models_own_lengths(tmp_path: Path) -> None:
    write_model(tmp_path)
    console = Console(file=StringIO(), width=80)
    console.print(lengths_table(tmp_path))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "0.600" in text and "0.5 1 (its own)" in text and "all" in text


def test_a_model_without_choices_has_neither(tmp_path: Path) -> None:
    write_lengths(tmp_path)
    assert lengths_table(tmp_path) is None and read_lengths(tmp_path) == ([], [])
    assert not list(tmp_path.iterdir())
