"""The temporary names of files: two processes that write one file at once do not share one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.part_file import part_of, written_whole
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


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_cannot_be_written_whole_leaves_the_file_as_it_was_and_nothing_beside_it(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "errors.csv"
    path.write_text("as it was", encoding="utf-8")

    def lines() -> Iterator[list[str]]:
        yield ["first"]
        raise error

    with pytest.raises(type(error)):
        write_table(path, ["text"], lines())
    assert path.read_text(encoding="utf-8") == "as it was" and list(tmp_path.iterdir()) == [path]
    with written_whole(path) as part:
        part.write_text("new", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "new" and list(tmp_path.iterdir()) == [path]
