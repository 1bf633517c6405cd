"""Data files that were cut off, mixed up or made to harm: 2,000 at full size, and the answers to files of texts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import DataError
from data.load import load_splits
from data.settings import DataSettings
from tests.data.sources.test_files import ROWS, write
from tests.faults.fuzzing import damaged, files_in, has_cure, many, patience

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
PARTS = [
    b",", b'"', b"\n", b"\r", b"\t", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"null", b"NaN", b"[" * 999,
    b"=cmd|'/C calc'!A0", b"\x1b[2J", b"<script>", b'"\\ud800"', b"text", b"PAR1", b"A" * 100_000, b"9" * 5000,
]  # fmt: skip
ENCODINGS = [
    "utf-8",
    "utf-8",
    "utf-8",
    "utf-16",
    "latin-1",
    "ascii",
    "utf-7",
    "hex",
    "rot13",
    "idna",
    "nope",
    "",
    "cp037",
]
VALUES: list[Any] = [
    None, "", " ", "pos", 0, -1, 1.5, True, float("nan"), float("inf"), 10**30, [], {}, ["a"], {"a": {"b": 1}},
    "\x00", "\x1b]0;x\x07", "=1+1", "\ud800", "x" * 70_000, "\u202e", "a\nb", "1e400", "９", "²", "nan", "0x10",
]  # fmt: skip


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Yield a folder with an intact file of every format."""
    folder = tmp_path_factory.mktemp("data")
    for suffix in SUFFIXES:
        write(folder / f"whole{suffix}")
    return folder


def check_load(room: Path, file: Path, **options: Any) -> None:
    """Check that a file is loaded or refused with a cure, in time, and that nothing is left half-written."""
    settings = DataSettings(source="files", path=str(file), **options)
    before = files_in(room)
    try:
        with patience():
            splits = load_splits(settings, tokenizer="train", vocab_size=60, cache=room / "cache")
        assert len(splits.train) and all(len(split) for split in (splits.select, *splits.report))
    except DataError as error:
        assert has_cure(str(error)) and len(str(error)) < 2000, str(error)
    new = [path.relative_to(room) for path in files_in(room) - before]
    assert all(path.parts[0] == "cache" for path in new), new
    assert not [path for path in new if path.suffix == ".part"], new
    shutil.rmtree(room / "cache", ignore_errors=True)


@many(1_500)
@given(st.data(), st.sampled_from(SUFFIXES), st.sampled_from(ENCODINGS), st.sampled_from(["refuse", "drop"]))
def test_a_damaged_file_is_read_or_refused(
    room: Path, data: st.DataObject, suffix: str, encoding: str, missing: str
) -> None:
    whole = (room / f"whole{suffix}").read_bytes()
    file = room / f"file{suffix}"
    file.write_bytes(data.draw(damaged(whole, PARTS)))
    check_load(room, file, encoding=encoding, missing=missing)


@many(500)
@given(st.data(), st.sampled_from(["auto", "classification", "regression"]), st.sampled_from([None, "label", "more"]))
def test_any_value_in_any_row_is_read_or_refused(room: Path, data: st.DataObject, task: str, label: str | None) -> None:
    rows: list[Any] = [{"text": text, "label": value, "more": i % 3} for i, (text, value) in enumerate(ROWS)]
    for _ in range(data.draw(st.integers(1, 6))):
        row = rows[data.draw(st.integers(0, len(rows) - 1))]
        row[data.draw(st.sampled_from(["text", "label", "more"]))] = data.draw(st.sampled_from(VALUES) | st.text())
    file = room / "file.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    check_load(room, file, task=task, label=label, missing="drop")
