"""Local files: every format, every label type, and each kind of damage refused with its cure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import DataError
from data.load import load_splits
from data.settings import DataSettings
from data.sources.files import read_files
from data.splits import Splits
from data.stores.build_once import SharedCache

ROWS = [(f"text number {i} is {'good' if i % 2 else 'bad'}, she said", "pos" if i % 2 else "neg") for i in range(60)]


def write(path: Path, rows: list[tuple[Any, Any]] | None = None) -> Path:
    rows = ROWS if rows is None else rows
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"text": [t for t, _ in rows], "label": [v for _, v in rows]}), path)
    elif path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps({"text": t, "label": v}) for t, v in rows), encoding="utf-8")
    elif path.suffix == ".tsv":
        path.write_text("\n".join(["text\tlabel", *(f"{t}\t{v}" for t, v in rows)]), encoding="utf-8")
    else:
        path.write_text("\n".join(["text,label", *(f'"{t}",{v}' for t, v in rows)]) + "\n", encoding="utf-8")
    return path


def read(file: Path, **options: Any) -> Splits:
    settings = DataSettings(**({"source": "files", "path": str(file)} | options))
    return load_splits(settings, tokenizer="train", vocab_size=300, cache=file.parent / "cache")


def refused(file: Path, **options: Any) -> str:
    with pytest.raises(DataError) as raised:
        read(file, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_all_formats_give_the_same_data(tmp_path: Path) -> None:
    prints = {read(write(tmp_path / f"d{suffix}")).fingerprint for suffix in (".csv", ".tsv", ".jsonl", ".parquet")}
    assert len(prints) == 1


def test_one_file_is_cut_into_disjoint_stratified_parts(tmp_path: Path) -> None:
    splits = read(write(tmp_path / "d.csv"))
    assert [len(s) for s in (splits.train, splits.select, *splits.report)] == [49, 5, 6]
    assert (splits.select.name, splits.report[0].name) == ("val", "test")
    assert np.bincount(np.asarray(splits.report[0].labels.values)).tolist() == [3, 3]


def test_files_of_their_own_are_kept_apart(tmp_path: Path) -> None:
    write(tmp_path / "a.csv")
    write(tmp_path / "b.csv", ROWS[:10])
    splits = read(tmp_path / "a.csv", path=None, train_path=str(tmp_path / "a.csv"), test_path=str(tmp_path / "b.csv"))
    assert [len(s) for s in (splits.train, splits.select, *splits.report)] == [54, 6, 10]


@pytest.mark.parametrize(
    ("values", "target", "names"),
    [
        (["10", "9"], "class_label", ("9", "10")),
        (["b", "a"], "class_label", ("a", "b")),
        (["0.5", "2"], "number", ()),
        ([True, False], "class_label", ("False", "True")),
    ],
)
def test_label_types_are_recognised(values: list[Any], target: str, names: tuple[str, ...], tmp_path: Path) -> None:
    rows = [(text, values[i % 2]) for i, (text, _) in enumerate(ROWS)]
    splits = read(write(tmp_path / "d.jsonl", rows))
    assert (splits.task.target, splits.task.label_names) == (target, names)


def test_pairs_get_two_segments(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("a,b,label\n" + "".join(f"left {i},right side,{i % 2}\n" for i in range(40)))
    splits = read(path, text="a", text_pair="b")
    assert splits.task.is_pair
    assert (splits.train.segment_starts < splits.train.lengths).all()


def test_other_encodings_and_byte_order_marks(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv")
    text = path.read_text().replace("good", "schön")
    plain = read(write_bytes(tmp_path / "p.csv", text.encode())).fingerprint
    assert read(write_bytes(tmp_path / "b.csv", b"\xef\xbb\xbf" + text.encode())).fingerprint == plain
    assert read(write_bytes(tmp_path / "l.csv", text.encode("latin-1")), encoding="latin-1").fingerprint == plain
    assert read(write_bytes(tmp_path / "u.csv", text.encode("utf-16")), encoding="utf-16").fingerprint == plain


def write_bytes(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path


def test_wrong_bytes_name_the_line_and_the_encoding_to_try(tmp_path: Path) -> None:
    raw = write(tmp_path / "d.csv").read_bytes().replace(b"number 7 ", b"number \xe9 ")
    message = refused(write_bytes(tmp_path / "d.csv", raw))
    assert "line 9 " in message and "Try: data.encoding=latin-1" in message
    for encoding in ("utf-16", "utf-32"):
        message = refused(write_bytes(tmp_path / "u.csv", "text,label".encode(encoding)))
        assert message.endswith(f"Try: data.encoding={encoding}")
    assert "data.encoding=utf-8" in refused(write(tmp_path / "e.csv"), encoding="klingon")


def test_a_missing_column_lists_the_columns_and_guesses(tmp_path: Path) -> None:
    for suffix in (".csv", ".jsonl", ".parquet"):
        message = refused(write(tmp_path / f"d{suffix}"), text="texts")
        assert "columns: text, label" in message and "Try: data.text=text" in message


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_missing_values_are_refused_with_row_numbers_or_dropped(suffix: str, tmp_path: Path) -> None:
    rows = [*ROWS[:3], ("", "pos"), *ROWS[3:20], ("text", None if suffix != ".csv" else ""), *ROWS[20:]]
    path = write(tmp_path / f"d{suffix}", rows)
    first = "5" if suffix == ".csv" else "4"
    message = refused(path)
    assert "2 rows" in message and f"rows {first}," in message and "data.missing=drop" in message
    assert sum(read(path, missing="drop").dropped.values()) == 2


def test_empty_cells_of_labels_may_be_sets_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "sets.csv"
    path.write_text(
        "text,label\n" + "".join(f"text {i},{'a;b' if i % 3 else ''}\n" for i in range(60)), encoding="utf-8"
    )
    message = refused(path)
    assert "20 rows" in message and message.endswith("""cells with any number of labels, 'data.label_separator=";"'""")
    assert read(path, label_separator=";").task.label_names == ("a", "b")
    path.write_text(path.read_text(encoding="utf-8") + ",a\n", encoding="utf-8")
    assert refused(path).endswith("Try: data.missing=drop"), "a text is missing too"


def test_rows_with_no_cell_for_any_label_are_incomplete(tmp_path: Path) -> None:
    path, options = tmp_path / "marks.csv", {"labels": ["joy", "fear"], "label_names": None}
    lines = "".join(f"text {i},{i % 2},{i % 3 // 2}\n" for i in range(40))
    path.write_text(f"text,joy,fear\n{lines}text 40,,\n,,\n", encoding="utf-8")
    assert "2 rows have an empty or missing text or label (rows 42, 43). Try: data.missing=drop" in refused(
        path, **options
    )
    assert sum(read(path, missing="drop", **options).dropped.values()) == 2
    path.write_text(f"text,joy,fear\n{lines}text 40,,\n", encoding="utf-8")
    assert refused(path, **options).endswith("Try: data.missing=drop"), "not a separator of labels"
    path.write_text(f"text,joy,fear\n{lines}text 40,,\ntext 41,1,\n", encoding="utf-8")
    assert "row 43: the column 'fear' holds '', but data.labels needs 0 or 1" in refused(
        path, missing="drop", **options
    )


def test_a_file_without_a_complete_row_says_what_is_missing(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "d.csv", b"text,label,author\na b,1,\nc d,2,Ada\n")
    assert "1 row has an empty or missing text, label or author (rows 2)" in refused(path, group="author")
    path.write_text("text,label,author\na b,1,\nc d,2,\n", encoding="utf-8")
    assert "no usable row: all 2 have an empty or missing text, label or author. Try" in refused(
        path, group="author", missing="drop"
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"text,label\n", "no usable row"),
        (b"text,label\n" + b"a b c,1\n" * 40, "at least two classes"),
        (b"text,label\na,1\nb,2,3\n", "line 3 has 3 fields, the header 2"),
        (b'text,label\n"never closed,1\n', "line 2 cannot be read"),
        (b"text,label\na\x00b,1\nc,2\n" * 1, None),
    ],
)
def test_broken_csv_files(content: bytes, expected: str | None, tmp_path: Path) -> None:
    message = refused(write_bytes(tmp_path / "d.csv", content))
    if expected:
        assert expected in message


@pytest.mark.parametrize(("line", "expected"), [("{not json", "line 4 is not JSON"), ("[1, 2]", "line 4 holds a list")])
def test_broken_jsonl_lines_are_named(line: str, expected: str, tmp_path: Path) -> None:
    path = write(tmp_path / "d.jsonl")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:3], line, *lines[3:]]))
    assert expected in refused(path)


def test_a_cut_off_parquet_download_is_recognised(tmp_path: Path) -> None:
    path = write(tmp_path / "d.parquet")
    path.write_bytes(path.read_bytes()[:-100])
    assert "cut off" in refused(path)


def test_numbers_that_are_not_finite_are_named(tmp_path: Path) -> None:
    rows = [(text, "nan" if i == 4 else i / 7) for i, (text, _) in enumerate(ROWS)]
    assert "rows 6" in refused(write(tmp_path / "d.csv", rows))


def test_labels_unseen_in_train_are_named(tmp_path: Path) -> None:
    train = write(tmp_path / "a.csv")
    test = write(tmp_path / "b.csv", [*ROWS[:4], ("text", "neutral")])
    message = refused(train, path=None, train_path=str(train), test_path=str(test))
    assert "row 6" in message and "'neutral'" in message


def test_numbers_taken_for_classes_suggest_regression(tmp_path: Path) -> None:
    rows = [(text, i) for i, (text, _) in enumerate(ROWS)]
    assert "data.task=regression" in refused(write(tmp_path / "d.csv", rows))


def test_folders_typos_and_other_files_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "reviews.csv")
    (tmp_path / "d.xlsx").write_bytes(b"PK")
    assert "is a folder" in refused(tmp_path) and "reviews.csv" in refused(tmp_path)
    assert "did you mean" in refused(tmp_path / "review.csv")
    assert ".parquet" in refused(tmp_path / "d.xlsx")


def test_too_few_rows_to_cut_say_what_to_do(tmp_path: Path) -> None:
    assert "data.test_path" in refused(write(tmp_path / "d.csv", ROWS[:6]))


def test_long_texts_are_counted_and_said(tmp_path: Path) -> None:
    splits = read(write(tmp_path / "d.csv"), max_length=5)
    assert splits.train.truncated == len(splits.train)
    assert any("data.max_length=5" in note for note in splits.notes)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    import resource
    import subprocess
    import sys

    script = """
import resource, sys
from pathlib import Path
from data.settings import DataSettings
from data.sources.files import read_files
from data.sources.files import read_files
from data.stores.build_once import SharedCache
read_files(DataSettings(source="files", path=sys.argv[1]), SharedCache(Path(sys.argv[2])))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
    peaks = []
    for count in (2_000, 200_000):
        path = tmp_path / f"{count}.csv"
        with path.open("w") as stream:
            stream.write("text,label\n")
            stream.writelines(f"{'some words ' * 20}{i},{i % 2}\n" for i in range(count))
        command = [sys.executable, "-c", script, str(path), str(tmp_path / "cache")]
        peaks.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    assert resource.RUSAGE_SELF == 0
    assert peaks[1] - peaks[0] < 60, "45 MB of text must not be held in memory"  # the memory map itself is file cache


@pytest.mark.parametrize("name", ["d.zip", "d.tar", "d.csv.zst", "d.gz", "d.pkl", "d.pt", "d.npy"])
def test_archives_and_pickles_are_no_data(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    said = refused(tmp_path / name)
    assert "files end in .csv" in said and said.endswith("Unpack it") == name.endswith(("zip", "tar", "zst"))


def test_half_a_character_and_bytes_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "d.jsonl"
    for key in ("text", "label"):
        rows = [{"text": text, "label": value} for text, value in ROWS]
        rows[3][key] = "a\ud800b"
        file.write_text("\n".join(map(json.dumps, rows)))
        assert "row 4 holds 'a\\ud800b', which is not text. Fix that row" in refused(file)
    pq.write_table(pa.table({"text": [b"\xff"] * 60, "label": ["a", "b"] * 30}), tmp_path / "d.parquet")
    assert "the column 'text' holds binary, not text" in refused(tmp_path / "d.parquet")
    broken = pa.table({"text": pa.array([b"\xff"] * 60).cast(pa.string(), safe=False), "label": ["a", "b"] * 30})
    pq.write_table(broken, tmp_path / "d.parquet")
    assert "is not a complete Parquet file" in refused(tmp_path / "d.parquet")


def test_a_refused_file_leaves_nothing_half_written(tmp_path: Path) -> None:
    refused(write(tmp_path / "a.csv", [("good", "a"), ("", "b")]))
    refused(write(tmp_path / "b.jsonl", [("good", "a")] * 3 + [("\ud800", "b")]))
    assert {path.suffix for path in (tmp_path / "cache" / "tables").iterdir()} <= {".lock"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"missing": "drop"}, {"missing": "drop", "label_separator": ";", "task": "multilabel"}),
        ({"group": "more"}, {"fold_column": "more"}),
    ],
)
def test_settings_that_keep_other_rows_or_columns_have_tables_of_their_own(
    first: dict[str, str], second: dict[str, str], tmp_path: Path
) -> None:
    rows = "".join(f"text {row},{'ab'[row % 2] if row % 5 else ''},{row % 3}\n" for row in range(40))
    (tmp_path / "rows.csv").write_text(f"text,label,more\n{rows}")
    for options in (first, second):
        usual = {"source": "files", "path": str(tmp_path / "rows.csv"), "missing": "drop"}
        read_files(DataSettings(**(usual | options)), SharedCache(tmp_path / "cache"))  # type: ignore[arg-type]
    assert len(list((tmp_path / "cache" / "tables").glob("*.arrow"))) == 2, "else one may read the rows of the other"


def test_labels_that_look_like_numbers_and_are_none_are_names(tmp_path: Path) -> None:
    rows = [(text, "²" if label == "pos" else "--5") for text, label in ROWS]
    assert read(write(tmp_path / "d.csv", rows)).task.label_names == ("--5", "²")


def test_a_file_that_is_no_table_is_not_shown_whole(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x" * 1_000_000)
    assert len(refused(tmp_path / "d.csv")) < 1000
