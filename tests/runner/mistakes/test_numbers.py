"""The largest errors of a regression."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from runner.mistakes.answered import Answered
from runner.mistakes.numbers import analyse_numbers, label_quarters
from runner.mistakes.plain import plain_page
from runner.mistakes.run_data import RunData, read_run_data
from runner.statistics.answers import Answers
from tests.runner.mistakes.cases import write_case


def numbers_case(tmp_path: Path) -> tuple[Answered, RunData]:
    answered = write_case(tmp_path)
    run_data = read_run_data(answered, tmp_path / "cache")
    assert isinstance(run_data, RunData)
    labels = np.arange(120.0)
    given = labels + 1.0
    given[17] = 99.5
    return dataclasses.replace(
        answered, answers=Answers({"label": labels, "prediction": given}), probabilities=None
    ), run_data


def test_the_largest_error_leads_with_its_row_and_text(tmp_path: Path) -> None:
    answered, run_data = numbers_case(tmp_path)
    found = analyse_numbers(answered, run_data)
    line = dict(zip(found.columns, found.lines[0]))
    assert (line["label"], line["prediction"], line["error"]) == (17.0, 99.5, 82.5)
    assert line["text"] == run_data.texts("test")[17] and line["file"] == "tickets.csv"
    assert line["line"] == run_data.source_rows("test")[17] > line["row"], "the header is line 1 of a file"
    assert "Largest error: +82.5" in found.sentences[1] and len(found.lines) == 50
    page = plain_page(found, "0123456789")
    assert "labels 0 to 29" in page and "+82.5" in page


def test_without_texts_rows_are_those_of_the_split(tmp_path: Path) -> None:
    answered, _ = numbers_case(tmp_path)
    found = analyse_numbers(answered, None)
    assert found.lines[0][2:5] == ("", 18, None) and "row 18 of the split" in plain_page(found, "0123456789")


def test_numbers_have_as_many_digits_as_the_model_has(tmp_path: Path) -> None:
    answered, _ = numbers_case(tmp_path)
    given = np.full(120, np.float32(0.035), np.float32)
    answers = Answers({"label": np.zeros(120, np.float32), "prediction": given})
    found = analyse_numbers(dataclasses.replace(answered, answers=answers), None)
    assert found.lines[0][5:8] == (0.0, 0.035, 0.035)


def test_equal_labels_stay_in_one_quarter() -> None:
    found = label_quarters(np.array([1.0] * 60 + [2.0] * 40))
    assert [(name, int(is_in.sum())) for name, is_in in found] == [("labels 1 to 1", 60), ("labels 2 to 2", 40)]
