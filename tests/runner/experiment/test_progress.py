"""The messages of a run."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from runner.experiment.progress import Terminal
from runner.record.record import RunRecord
from tests.records import record_json


def record(**changes: object) -> RunRecord:
    return RunRecord.from_json(record_json(**changes))


def test_an_interrupted_run_says_how_it_is_resumed_and_a_pruned_one_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    terminal.end(record(status="killed", reason="interrupted"), tmp_path)
    assert "interrupted; the same command resumes it. Its record is in" in capsys.readouterr().out
    terminal.end(record(status="killed", reason="pruned after epoch 1", pruned=True), tmp_path)
    assert "pruned after epoch 1. Its record is in" in capsys.readouterr().out


def test_a_failed_run_says_where_its_traceback_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().end(record(status="failed", reason="ValueError: [bold]no[/bold]"), tmp_path)
    out = capsys.readouterr().out.replace("\n", "")
    assert "failed: ValueError: [bold]no[/bold]" in out and f"{tmp_path / 'error.txt'}" in out


def test_an_epoch_is_one_line_with_the_scores_of_the_task(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal._scores = ("accuracy", "loss")
    terminal.begin_training(100)
    values = {"val/accuracy": 0.75, "val/f1_macro": 0.7, "val/loss": 0.5, "embedding/rows": 9.0}
    terminal.epoch(50, 2, values, seconds=3.0, is_best=True)
    out = capsys.readouterr().out
    assert out.startswith("epoch   2  val/accuracy 0.7500  val/loss 0.5000  3.0 s, about 3 s left *\n"), (
        "also after a resumption"
    )


def test_the_star_of_the_best_epoch_is_explained_once_below(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    for is_best in (True, False, True):
        terminal.epoch(50, 1, {}, seconds=3.0, is_best=is_best)
    terminal.stage(record(stages=[{"name": "train", "metrics": {}}]))
    terminal.begin_training(100)
    out = capsys.readouterr().out
    assert out.count("* the best epoch so far on the selection rows") == 1 and out.rstrip().endswith("is kept")


def test_the_first_progress_bar_has_no_loss_yet() -> None:
    terminal = Terminal()
    stream = io.StringIO()
    terminal.console = Console(file=stream, force_terminal=True, width=80)
    terminal.begin_training(10)
    assert terminal._progress is not None
    terminal._progress.refresh()
    assert "nan" not in stream.getvalue() and "loss" not in stream.getvalue()
    terminal.point(5, 0, 0.5, 1000.0)
    terminal._progress.refresh()
    assert "loss 0.5000  1,000 examples/s" in stream.getvalue()
    terminal.epoch(5, 1, {}, seconds=3.0, is_best=False)
    terminal._close()
    assert "left" not in stream.getvalue(), "the bar shows the time that is left"


def test_a_finished_run_ends_with_a_command_to_try(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().end(record(), tmp_path / "0123456789")
    assert capsys.readouterr().out.rstrip().endswith(f"next: run predict 0123456789 'a text' paths.output={tmp_path}")


@pytest.mark.parametrize("has_widgets", [True, False])
def test_a_notebook_has_a_progress_bar_where_it_can_be_redrawn(
    has_widgets: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = list[bool]()
    terminal = Terminal()
    terminal.console.is_jupyter = True
    monkeypatch.setattr("runner.experiment.progress.find_spec", lambda _: has_widgets or None)
    monkeypatch.setattr(terminal, "_open", lambda: opened.append(True))
    terminal.begin_training(3)
    assert opened == [True] * has_widgets
