"""errors.csv and the short table of a terminal."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path

from rich.console import Console

from runner.mistakes.analyse import analyse
from runner.mistakes.findings import ClassScores, SuspectLabel, SuspectLabels
from runner.mistakes.run_data import Place
from runner.mistakes.written import COLUMNS, print_findings, write_errors_csv
from tests.runner.mistakes.cases import write_case


def test_the_table_has_every_mistake_and_doubt_with_its_row(tmp_path: Path) -> None:
    found = analyse(write_case(tmp_path), tmp_path / "cache", print, label_errors=False)
    suspect = SuspectLabel(Place("tickets.csv", 7, 9), "billing", "login", 0.01, 0.97, "=1+1")
    found = dataclasses.replace(found, suspects=SuspectLabels((suspect,), 120, 0.9))
    write_errors_csv(found, tmp_path / "errors.csv")
    with (tmp_path / "errors.csv").open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert tuple(lines[0]) == COLUMNS and len(lines) == 13
    with (tmp_path / "tickets.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for line in lines[:12]:
        source = rows[int(line["row"]) - 1]
        assert line["what"] == "mistake" and source["topic"] == line["label"] != line["answer"]
        assert line["text"].split()[-1] == source["message"].split()[-1]
    assert lines[12]["what"] == "may be mislabelled" and lines[12]["text"] == "'=1+1" and lines[12]["row"] == "7"


def test_the_short_table_fits_a_terminal(tmp_path: Path) -> None:
    found = analyse(write_case(tmp_path), tmp_path / "cache", print, label_errors=False)
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    print_findings(found, console)
    stream = console.file
    assert isinstance(stream, io.StringIO)
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    assert any("billing" in line and "4 delivery" in line for line in lines)


def test_all_sentences_are_printed_where_every_row_is_right(tmp_path: Path) -> None:
    found = analyse(write_case(tmp_path, wrong=0), tmp_path / "cache", print, label_errors=False)
    found = dataclasses.replace(found, no_texts="the file is gone", slices=())
    console = Console(file=io.StringIO(), width=80)
    print_findings(found, console)
    stream = console.file
    assert isinstance(stream, io.StringIO) and "No texts: the file is gone." in stream.getvalue()


def test_the_weakest_class_of_many_rows_is_named_where_rare_ones_fill_the_table(tmp_path: Path) -> None:
    found = analyse(write_case(tmp_path), tmp_path / "cache", print, label_errors=False)
    rare = [ClassScores(f"rare {k}", 2, 0, 0, (("common", 2),)) for k in range(12)]
    common = ClassScores("common", 60, 84, 20, (("other", 40),))
    found = dataclasses.replace(found, classes=(*rare, common, ClassScores("other", 60, 100, 60)))
    console = Console(file=io.StringIO(), width=200)
    print_findings(found, console)
    stream = console.file
    assert isinstance(stream, io.StringIO) and "common: F1 0.278, recall 0.333" in stream.getvalue()
