"""The temporary names of files: two processes that write one file at once do not share one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.part_file import part_of
from runner.mistakes.written import write_table
from runner.report.page import write_page


def test_a_name_beside_the_file_that_is_recognised_as_unfinished(tmp_path: Path) -> None:
    part = part_of(tmp_path / "predictions-test.parquet")
    assert part.parent == tmp_path and part.name == f"predictions-test.parquet.{os.getpid()}.part"


def test_two_processes_that_write_one_table_do_not_mix_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, own = tmp_path / "errors.csv", os.getpid()

    def lines() -> Iterator[list[str]]:
        yield ["first"]
        monkeypatch.setattr(os, "getpid", lambda: own + 1)
        write_table(path, ["text"], [["of the other process"]])
        monkeypatch.setattr(os, "getpid", lambda: own)
        yield ["second"]

    write_table(path, ["text"], lines())
    assert path.read_text(encoding="utf-8").split("\n") == ["text", "first", "second", ""]
    assert list(tmp_path.iterdir()) == [path]


def test_a_page_has_a_name_of_its_own_while_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "report.html.part").mkdir()  # of another process
    write_page(tmp_path / "report.html", "<p>")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "<p>"
