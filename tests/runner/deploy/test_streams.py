"""Rows go in and out one by one; an output file is complete or not there."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import DataError
from data.part_file import part_of
from data.sources.conll import words_of
from data.sources.options import ReadOptions
from runner.deploy import streams
from runner.deploy.streams import RowWriter, as_words, input_format, open_output, output_format, read_texts, row_chunks
from runner.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "asked", "form"),
    [("a.csv", "", "csv"), ("a.txt", "", "lines"), ("a.jsonl.gz", "", "jsonl"), ("a.dat", "tsv", "tsv")],
)
def test_a_file_is_read_as_asked_or_as_its_name_says(name: str, asked: str, form: str) -> None:
    assert input_format(Path(name), asked) == form
    assert input_format(None, "") == "lines" and input_format(None, "csv") == "csv"


@pytest.mark.parametrize(("name", "asked"), [("a.dat", ""), ("a.csv", "xml"), ("a.parquet", "csv")])
def test_a_format_that_does_not_fit_is_refused(name: str, asked: str) -> None:
    with pytest.raises(ConfigError, match=r"Try: |Leave input= out"):
        input_format(Path(name), asked)


def test_an_output_file_ends_in_a_known_format() -> None:
    assert output_format(Path("a.JSONL")) == "jsonl"
    for name in ("a.xlsx", "a.csv.gz", "a"):
        with pytest.raises(ConfigError, match=r"Try: out=a\.csv$"):
            output_format(Path(name))


def test_rows_are_chunked_and_none_is_lost() -> None:
    rows = [{"text": str(number)} for number in range(5)]
    assert [len(chunk) for chunk in row_chunks(rows, 2)] == [2, 2, 1]


def test_an_output_file_of_a_failed_command_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KeyError), open_output(tmp_path / "a.csv") as stream:
        stream.write("half")
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    with open_output(tmp_path / "a.csv") as stream:
        stream.write("whole")
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "whole"


def test_an_error_of_reading_is_not_blamed_on_the_output(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="disk"), open_output(tmp_path / "a.csv"):
        raise OSError(errno.EIO, "bad disk")
    missing = r"out=.*a\.csv: cannot be written: No such file"
    with pytest.raises(ConfigError, match=missing), open_output(tmp_path / "none" / "a.csv"):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_blamed_on_the_output(tmp_path: Path) -> None:
    part_of(tmp_path / ".a.csv").symlink_to("/dev/full")
    full = r"out=.*a\.csv: cannot be written: No space left"
    with pytest.raises(ConfigError, match=full), open_output(tmp_path / "a.csv") as stream:
        RowWriter(stream, "jsonl").write([{"a": 1}])
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_reading_names_the_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Iterator[tuple[int, dict[str, str]]]:
        yield 1, {"text": "a"}
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(streams, "read_rows", fail)
    rows = read_texts(tmp_path / "a.csv", "csv", ReadOptions({"text": "text"}))
    assert next(rows) == {"text": "a"}
    with pytest.raises(DataError, match=r"a\.csv: cannot be read: Input/output error\. Try: "):
        next(rows)


def test_a_csv_has_the_columns_of_its_first_row() -> None:
    writer = RowWriter(io.StringIO(), "csv")
    writer.write([{"a": 1}])
    with pytest.raises(ConfigError, match=r"Try: out=answers\.jsonl"):
        writer.write([{"a": 1, "b": 2}])


def test_lists_of_words_are_read_from_parquet_by_a_model_that_takes_them(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"tokens": [["Ada", "ate"], ["She", "left"]]}), path)
    options = ReadOptions({"text": "tokens"}, takes_words=True)
    assert [row["tokens"] for row in read_texts(path, "parquet", options)] == [["Ada", "ate"], ["She", "left"]]
    with pytest.raises(DataError, match="a list; text is needed"):
        next(read_texts(path, "parquet", ReadOptions({"text": "tokens"})))


def test_words_are_read_as_in_training() -> None:
    cell = ["Ada", 1, None]
    assert as_words(cell) == words_of(cell, "row 1") == ["Ada", "1", ""]
    assert as_words([]) == [] and as_words("Ada ate") is None and as_words([["Ada"], ["ate"]]) is None


def test_a_model_of_words_asks_for_a_text_or_a_list_of_words(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"tokens": [["a"], ["b"]]}\n')
    with pytest.raises(ConfigError, match="row 1: a list under 'tokens', but a text or a list of words is needed"):
        next(read_texts(path, "jsonl", ReadOptions({"text": "tokens"}, takes_words=True)))


def test_numbers_that_json_does_not_have_are_null() -> None:
    stream = io.StringIO()
    row = {"text": "a", "x": float("nan"), "deep": [{"y": float("-inf")}, (1.5, float("nan"))]}
    RowWriter(stream, "jsonl").write([row])
    assert stream.getvalue() == '{"text": "a", "x": null, "deep": [{"y": null}, [1.5, null]]}\n'


ENDS_WHILE_A_PIPE_IS_OPEN = """
import sys
from data.sources.options import ReadOptions
from runner.deploy.streams import chunks_as_they_arrive, read_texts
print(next(chunks_as_they_arrive(read_texts(None, "lines", ReadOptions({"text": "text"})), 4)), flush=True)
sys.exit(2)
"""


def test_a_command_may_end_before_its_input_does() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENDS_WHILE_A_PIPE_IS_OPEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"first\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"[{'text': 'first'}]\n"
        assert process.wait(60) == 2  # -6: Python has aborted


def test_a_csv_that_cannot_be_written_is_not_blamed_on_its_columns() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            if text != "text\n":  # the header
                raise ConfigError("out=a.csv: cannot be written")
            return len(text)

    with pytest.raises(ConfigError, match=r"^out=a\.csv: cannot be written$"):
        RowWriter(Full(), "csv").write([{"text": "a"}])
