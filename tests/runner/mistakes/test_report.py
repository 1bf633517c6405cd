"""Page and table of one run, in its folder."""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from runner.mistakes.report import report_errors
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
