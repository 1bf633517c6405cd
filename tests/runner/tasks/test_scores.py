"""Scores in a run: of which class they are, from how many rows, and whether anything was learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.run import run
from runner.record.descriptions import constant_answers, score_label
from runner.record.folder import read_record
from runner.record.record import RunRecord
from runner.record.table import show_record, summary_rows
from runner.record.validation import problem_of_record
from runner.tasks import task_class
from runner.tasks.base import LabelFacts
from runner.tasks.classification import Classification
from tests.conftest import run_cli
from tests.runner.tasks.splits import split_of

SMALL = ["data=files", "model=dsn", "model.tokenizer=train", "model.vocab_size=80", "measure=off", "tracker=none",
         "train.epochs=1", "train.threads=1"]  # fmt: skip


def table(folder: Path, rows: list[tuple[str, Any]]) -> str:
    """Write texts and labels to a file and return the override that names it."""
    lines = [f"{text},{value}" for text, value in rows]
    (folder / "rows.csv").write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    return f"data.path={folder / 'rows.csv'}"


def recorded(folder: Path, rows: list[tuple[str, Any]], *words: str) -> RunRecord:
    words = (
        *SMALL,
        table(folder, rows),
        f"paths.output={folder / 'outputs'}",
        f"paths.cache={folder / 'cache'}",
        *words,
    )
    record = run(resolve(compose(list(words))), list(words)).record
    assert record is not None and record.status == "done" and problem_of_record(record.to_json()) is None
    return record


RARE = [(f"the pillow of day {i} was quick", "fraud" if i % 25 == 0 else "ok") for i in range(400)]


def test_a_model_that_answers_the_common_class_has_no_f1_and_is_told_so(tmp_path: Path) -> None:
    done = run_cli(*SMALL, table(tmp_path, RARE), "data.metrics=[f1,accuracy]", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "task: classification, 2 classes (fraud 13, ok 311)" in done.stdout
    assert "test/f1 (fraud)" in done.stdout and "test/f1_macro" in done.stdout
    assert "test/precision" not in done.stdout, "the table is short"
    assert "note: the model answers 'ok' to every row of test" in done.stdout.splitlines()
    (folder,) = (path.parent for path in (tmp_path / "outputs").glob("*/record.json"))
    record = read_record(folder)
    assert record is not None and record.data.positive == "fraud"
    assert record.metrics["test/f1"] == record.metrics["baseline/majority"] == 0.0
    assert record.metrics["test/balanced_accuracy"] == 0.5
    assert "train: the model answers 'ok' to every row of test" in record.notes
    report = record.reports["test"]
    assert report.classes == ["fraud", "ok"] and report.confusion == [[0, n] for n in report.support]
    assert "are of the class 'fraud'" in (folder / "model" / "README.md").read_text(encoding="utf-8")
    shown = run_cli("show", cwd=tmp_path).stdout
    assert "classes of test" in shown and "the model answers 'ok'" in shown


@pytest.mark.parametrize("metric", ["mcc", "f1_macro", "f1", "balanced_accuracy"])
def test_a_run_that_learned_nothing_is_marked_whatever_it_is_scored_by(metric: str, tmp_path: Path) -> None:
    rows = [("the same words for all", i % 2) for i in range(120)]
    metrics = recorded(tmp_path, rows, f"data.metrics=[{metric}]").metrics
    assert metrics["train/diverged"] == 1.0
    assert {
        f"test/{name}" for name in ("accuracy", "balanced_accuracy", "f1_macro", "f1", "precision", "recall")
    } <= set(metrics)
    assert {f"test/{metric}_low", f"test/{metric}_high"} <= set(metrics)


def test_a_regression_with_one_answer_for_all_is_marked_and_its_correlation_is_0(tmp_path: Path) -> None:
    record = recorded(tmp_path, [("the same words for all", i % 7 + 0.5) for i in range(120)])
    assert (record.metrics["test/spearman"], record.metrics["train/diverged"]) == (0.0, 1.0)
    assert "the model gives every row of test the same number" in record.notes[-1] and record.reports == {}
    assert record.data.positive is None


def test_a_model_that_finds_the_rare_class_is_not_said_to_have_learned_nothing(tmp_path: Path) -> None:
    rows = [("stolen card abroad" if i % 25 == 0 else "milk and bread at noon", ["ok", "fraud"][i % 25 == 0])
            for i in range(400)]  # fmt: skip
    metrics = recorded(tmp_path, rows, "train.epochs=20", "optimizer.lr=0.1").metrics
    assert metrics["test/f1"] == 1.0 and metrics["train/diverged"] == 0.0


def test_an_unknown_positive_class_is_refused_before_training(tmp_path: Path) -> None:
    done = run_cli(*SMALL, table(tmp_path, RARE), "data.positive=farud", cwd=tmp_path)
    assert done.returncode == 2 and "Try: data.positive=fraud" in done.stderr
    assert not list(tmp_path.glob("outputs/*/record.json"))


@pytest.mark.parametrize(
    ("kind", "names", "labels", "expected"),
    [
        ("classification", ("neg", "pos"), [0] * 3 + [1] * 1200, "task: classification, 2 classes (neg 3, pos 1,200)"),
        ("regression", (), np.float32([1, 2.25, 5]), "task: regression, 1.0 to 5.0"),
        ("regression", (), np.float32([0.1, -7]), "task: regression, -7.0 to 0.1"),
        ("mlm", (), [0, 0], "task: masked words"),
    ],
)
def test_a_run_says_what_its_labels_were_taken_for(kind: str, names: Any, labels: Any, expected: str) -> None:
    assert task_class(kind)(LabelFacts(names)).describe(split_of(labels)) == expected


def test_of_many_classes_the_first_are_named_and_no_name_fills_the_line() -> None:
    names = ("x" * 300, *(f"c{i:03}" for i in range(149)))
    line = Classification(LabelFacts(names)).describe(split_of(list(range(150))))
    assert line.startswith("task: classification, 150 classes (xxx") and line.endswith("c003 1, 145 more)")
    assert len(line) < 120


def test_a_record_from_before_a_class_was_chosen_shows_f1_of_class_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(json.dumps(recorded(tmp_path, RARE, "data.positive=ok").to_json()))
    del content["data"]["positive"], content["reports"]
    read = RunRecord.from_json(content)
    assert score_label(read, "test/f1") == "test/f1 (ok)"
    assert "the model gives every row of test the same answer" in list(constant_answers(read))
    show_record(read, tmp_path, details=True)
    assert "classes of test" not in capsys.readouterr().out
    assert max(len(name) for name, _ in summary_rows(read)) < 30


def test_a_class_name_from_outside_is_not_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [(f"the day {i}", "[bold]x[/bold]" if i % 9 else "\x1b[31mred") for i in range(120)]
    show_record(recorded(tmp_path, rows), tmp_path, details=True)
    out = capsys.readouterr().out
    assert "\x1b" not in out and "[bold]x[/bold]" in out and "\\x1b[31mred" in out
