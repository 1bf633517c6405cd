"""Two runs on the same rows."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from runner.errors import ConfigError
from runner.mistakes.answered import Answered
from runner.mistakes.versus import compare_errors, print_versus, versus_page
from runner.statistics.answers import Answers
from runner.statistics.span_scores import graded
from tests.runner.mistakes.cases import write_case


def test_rows_that_only_one_run_gets_right_are_counted_and_shown(tmp_path: Path) -> None:
    first, second = write_case(tmp_path, wrong=30), write_case(tmp_path, wrong=4, seed=28, name="abcdef0123")
    found = compare_errors(first, second, tmp_path / "cache")
    assert found.right == (90, 116) and tuple(map(len, found.only)) == (2, 28)
    assert found.p < 0.001 and found.sentence.startswith(
        "B is better on these rows: only B is right on 28 rows, only A on 2"
    )
    assert all(one.text and one.place for side in found.only for one in side)
    assert {one.name for one in found.slices} >= {"class billing", "class delivery", "class login"}
    stream = io.StringIO()
    print_versus(found, Console(file=stream, width=80, force_terminal=True, color_system=None))
    assert "A: " in stream.getvalue() and "only B is right, for example:" in stream.getvalue()
    assert max(map(len, stream.getvalue().splitlines())) <= 80
    page = versus_page(found)
    assert 'id="only-b"' in page and "28 of 28 rows" in page


def test_of_spans_the_surest_mistake_is_the_farthest_from_the_threshold(tmp_path: Path) -> None:
    def spans(name: str, given: list[str], margins: list[float]) -> Answered:
        case = write_case(tmp_path, name=name)
        record = dataclasses.replace(
            case.record, data=dataclasses.replace(case.record.data, task="span", fingerprints={"test": "gone"})
        )
        columns = graded(given, np.array(margins), [["a"], ["b"], ["c"]], ["text"] * 3, 0.0)
        texts = {"label": np.array(["a", "b", "c"], object), "prediction": np.array(given, object)}
        return dataclasses.replace(
            case, record=record, answers=Answers(columns | texts, names=("x",)), probabilities=None
        )

    right = spans("0123456789", ["a", "b", "c"], [-1.0, -1.0, -1.0])
    found = compare_errors(right, spans("abcdef0123", ["d", "", "e"], [-1.0, 5.0, -2.0]), tmp_path / "cache")
    assert [one.label for one in found.only[0]] == ["b", "c", "a"]


def test_runs_on_other_rows_are_refused(tmp_path: Path) -> None:
    first, second = write_case(tmp_path), write_case(tmp_path, seed=3, name="abcdef0123")
    data = dataclasses.replace(second.record.data, fingerprints={"test": "other"})
    other = dataclasses.replace(second, record=dataclasses.replace(second.record, data=data))
    with pytest.raises(ConfigError, match="0123456789 and abcdef0123 answered different rows"):
        compare_errors(first, other, tmp_path / "cache")


def test_no_difference_is_not_called_equal(tmp_path: Path) -> None:
    first, second = write_case(tmp_path), write_case(tmp_path, seed=3, name="abcdef0123")
    found = compare_errors(first, second, tmp_path / "cache")
    assert found.sentence.startswith("No difference visible with 120 rows: only B is right on 3 rows, only A on 3")
