"""Page and table of one run, in its folder."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from runner.errors import ConfigError
from runner.mistakes.report import report_errors
from runner.record.record import RunRecord
from tests.runner.mistakes.cases import write_case


def test_page_and_table_are_written_into_the_folder_of_the_run(tmp_path: Path) -> None:
    record, output, stream = write_case(tmp_path).record, tmp_path / "out", io.StringIO()
    written = report_errors(
        record, output, tmp_path / "cache", split="", label_errors=False, console=Console(file=stream), notify=print
    )
    assert [path.relative_to(output).as_posix() for path in written] == [
        "0123456789/errors.html",
        "0123456789/errors.csv",
    ]
    assert 'id="reliability"' in written[0].read_text(encoding="utf-8")
    assert "12 of 120 rows of test are wrong" in stream.getvalue()


def test_a_search_for_label_errors_that_was_asked_for_is_never_passed_over(tmp_path: Path) -> None:
    record, output = write_case(tmp_path).record, tmp_path / "out"
    of_numbers = replace(record, data=replace(record.data, task="regression", labels=[]))

    def report(found: RunRecord, asked: str) -> list[str]:
        told = list[str]()
        report_errors(
            found, output, tmp_path / "cache", split="", label_errors=True, every_row=True, asked=asked,
            console=Console(file=io.StringIO()), notify=told.append,
        )  # fmt: skip
        return told

    report(of_numbers, "")
    with pytest.raises(ConfigError, match=r"^label_errors=all: .* one class each, .* is of regression\. Leave it out$"):
        report(of_numbers, "label_errors=all")
    (tmp_path / "tickets.csv").write_text("message,topic\nother,login\n", encoding="utf-8")
    assert report(record, "label_errors=all")[-1].startswith(
        "note: label_errors=all: no label errors were sought: the run's data"
    )
