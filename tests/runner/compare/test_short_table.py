"""The table at the end of a sweep: it fits, names its groups, and says what it means."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from runner.compare.short_table import show_runs
from runner.record.folder import read_all_records
from tests.runner.compare.folded import right_rows, write_own_fold
from tests.runner.compare.folders import write_group

BASE = {"baseline/majority": 0.5, "baseline/ngram": 0.8, "baseline/ngram_bytes": 9_000.0, "time/train_s": 1234.5}


def shown(output: Path, width: int, is_terminal: bool = True) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=is_terminal, no_color=True, highlight=False)
    show_runs(read_all_records(output)[0], output, console)
    return re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue())


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_names_come_first(tmp_path: Path, width: int) -> None:
    write_group(tmp_path, "model=dsn", right=[150, 152], metrics=BASE)
    write_group(tmp_path, "model=bert-tiny", right=[110, 102], metrics=BASE)
    lines = shown(tmp_path, width).splitlines()
    assert max(map(len, lines)) <= width
    named = [line.strip().split("  ")[0] for line in lines if line.strip().startswith("model=")]
    assert named == ["model=dsn", "model=bert-tiny (at baseline)"], "names are whole at every width, best first"
    assert "0.7550" in next(line for line in lines if line.strip().startswith("model=dsn"))


def test_numbers_give_way_in_the_order_of_their_rank(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[150, 152], metrics=BASE)
    titles = {width: shown(tmp_path, width).splitlines()[2].split()[1:] for width in (58, 80, 120)}
    assert titles[58] == ["score", "95", "%", "seeds"]
    assert titles[80] == ["score", "95", "%", "seeds", "MB", "us"]
    assert titles[120] == ["score", "95", "%", "seeds", "MB", "us", "best", "run", "train", "s"]


def test_baselines_are_rows_and_every_mark_is_explained_below(tmp_path: Path) -> None:
    write_group(tmp_path, "model=dsn", right=[102, 101], metrics=BASE, older=True)
    said = shown(tmp_path, 100)
    assert re.search(r"majority-class baseline +0.5000", said) and "n-gram baseline" in said and "0.8000" in said
    assert "* after MB: only the weights" in said and "* after us: only the forward pass" in said
    assert said.count("(at baseline)") == 1 and said.count("at baseline: not better") == 1
    assert "seeds: the score is their mean" in said


def test_runs_on_other_data_or_of_another_metric_have_a_table_of_their_own(tmp_path: Path) -> None:
    facts: dict[str, Any] = {"name": "other", "fingerprint": "e" * 64, "task": "regression", "primary": "test/mse"}
    write_group(tmp_path, "model=dsn", right=[150], metrics=BASE)
    rows = {"train": 9, "val": 1, "test": 9}
    write_group(
        tmp_path, "model=dsn", "data.max_rows=9", right=[150], metrics={"test/mse": 4321.1}, data=facts | {"rows": rows}
    )
    said = shown(tmp_path, 80)
    assert "compared: test/accuracy on demo" in said and "compared: test/mse on demo" in said
    assert "4,321.10" in said, "a large score takes no more room"


def test_the_folds_of_a_data_set_are_one_row_of_one_table(tmp_path: Path) -> None:
    right = {"dsn": right_rows(0.8, 1), "bert-tiny": right_rows(0.6, 2)}
    for model in right:
        write_own_fold(tmp_path, model, "a", right[model])
    assert "95 %: the score's interval over the rows held out" in " ".join(shown(tmp_path, 100).split())
    for fold in "bcde":
        for model in right:
            write_own_fold(tmp_path, model, fold, right[model])
    said = shown(tmp_path, 100)
    assert said.count("compared: test/accuracy on demo") == 1, "each fold reports other rows, all folds the same"
    for model, rows in right.items():
        assert re.search(rf"model={model} +{rows.mean():.4f} +\S+ +5 ", said)
    assert "the score's interval over the folds, corrected" in " ".join(said.split())


def test_a_pipe_has_room_for_all_numbers(tmp_path: Path) -> None:
    for count in (97, 98):
        write_group(tmp_path, "model=dsn", f"data.max_rows={count}", right=[150], metrics=BASE)
    said = shown(tmp_path, 80, is_terminal=False)
    assert "data.max_rows=97" in said and "data.max_rows=98" in said and "train s" in said and "1,234.5" in said


def test_nothing_is_shown_without_a_finished_run(tmp_path: Path) -> None:
    assert shown(tmp_path, 80) == ""
