"""The spellings of local files: delimiters, quotes, gzip, arrays; and the cures for files that are nearly right."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.data.sources.test_files import ROWS, read, refused, write, write_bytes

COMMAS = "text,label\n" + "".join(f'"{text}",{label}\n' for text, label in ROWS)


def _spelled(delimiter: str, quote: str = '"') -> bytes:
    return "\n".join(
        [f"text{delimiter}label", *(f"{quote}{text}{quote}{delimiter}{label}" for text, label in ROWS)]
    ).encode()


SPELLINGS = {
    "D.CSV": COMMAS.encode(),
    "d.csv.gz": gzip.compress(COMMAS.encode()),
    "semicolon.csv": _spelled(";", ""),  # the texts have commas
    "tab.csv": _spelled("\t"),
    "pipe.csv": _spelled("|", ""),
    "blank.csv": b"\n \n" + COMMAS.encode(),
    "semicolon.tsv": _spelled(";"),
    "all quoted.tsv": b'"text"\t"label"\n' + b"".join(f'"{t}"\t"{v}"\n'.encode() for t, v in ROWS),
    "array.json": json.dumps([{"text": t, "label": v} for t, v in ROWS]).encode(),
    "array.jsonl": b" \n" + json.dumps([{"text": t, "label": v} for t, v in ROWS], indent=2).encode(),
    "lines.JSON.GZ": gzip.compress("\n".join(json.dumps({"text": t, "label": v}) for t, v in ROWS).encode()),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_other_spellings_of_a_file_are_the_same_data(name: str, tmp_path: Path) -> None:
    plain = read(write_bytes(tmp_path / "plain.csv", COMMAS.encode())).fingerprint
    assert read(write_bytes(tmp_path / name, SPELLINGS[name])).fingerprint == plain


def test_a_gzipped_parquet_file_is_read_and_half_a_gzip_file_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "d.parquet")
    packed = gzip.compress(path.read_bytes())
    assert read(write_bytes(tmp_path / "d.parquet.gz", packed)).fingerprint == read(path).fingerprint
    assert "is not a complete gzip file" in refused(
        write_bytes(tmp_path / "d.csv.gz", gzip.compress(COMMAS.encode())[:-20])
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "gb18030", "utf-8"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(encoding: str, tmp_path: Path) -> None:
    plain = read(write_bytes(tmp_path / "plain.csv", COMMAS.encode())).fingerprint
    marked = write_bytes(tmp_path / "d.csv", f"\ufeff{COMMAS}".encode(encoding))
    assert read(marked, encoding=encoding).fingerprint == plain
    packed = write_bytes(tmp_path / "d.csv.gz", gzip.compress(f"\ufeff{COMMAS}".encode(encoding)))
    assert read(packed, encoding=encoding).fingerprint == plain


def test_delimiter_and_quoting_can_be_set(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "d.csv", _spelled("~", ""))
    assert read(path, delimiter="~").fingerprint == read(write_bytes(tmp_path / "e.csv", COMMAS.encode())).fingerprint
    quoted = write_bytes(tmp_path / "q.tsv", _spelled("\t"))
    assert any("Try: data.quoting=minimal" in note for note in read(quoted).notes)
    assert read(quoted, quoting="minimal").notes == read(quoted, quoting="none").notes == []
    assert "try: data.quoting=none" in refused(write_bytes(tmp_path / "c.csv", b'text,label\n"a" b,1\n"c,0\n'))
    assert "one character, tab or auto. Try: data.delimiter=auto" in refused(path, delimiter="ab")


TWICE = {
    "d.csv": b"text,label,label\na,1,0\nb,0,1\n",
    "d.tsv": b"text\tlabel\tlabel\na\t1\t0\n",
    "d.jsonl": b'{"text": "a", "label": 1, "label": 0}\n',
    "d.parquet": None,
}


@pytest.mark.parametrize("name", TWICE)
def test_a_used_column_that_occurs_twice_is_refused_and_another_one_is_not(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if (content := TWICE[name]) is None:
        arrays = [pa.array(["a", "b"]), pa.array([1, 0]), pa.array([0, 1])]
        pq.write_table(pa.Table.from_arrays(arrays, ["text", "label", "label"]), path)
    else:
        path.write_bytes(content)
    assert "label" in refused(path) and ("2 columns" in refused(path) or "more than once" in refused(path))
    assert "to cut" in refused(path, label=None) or "no row is left" in refused(path, label=None)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("trailing.csv", b"text,label\na,1,\nb,0,\n", r"Try: sed 's/,\r*$//' "),
        ("nl.tsv", b'text\tlabel\n"a\nb"\t1\n', "line 2 has 1 field, the header 2. If its fields are in quotes, try: "),
        ("windows.csv", b"text,label\n\x93a\x94,1\n", "line 2 is not utf-8. Try: data.encoding=cp1252"),
        ("turkish.csv", "text,label\nışıklı bir güzel film,1\n".encode("cp1254"), "Try: data.encoding=cp1254"),
        (
            "icelandic.csv",
            "text,label\nþetta er góð mynd og ný á Íslandi,1\n".encode("cp1252"),
            "Try: data.encoding=latin-1",
        ),
        ("chinese.csv", "text,label\n这家酒店的服务很好,1\n".encode("gb18030"), "Try: data.encoding=gb18030"),
        (
            "euc.csv",
            "text,label\nこの映画はとても良かった、感動しました,1\n".encode("euc_jp"),
            "Try: data.encoding=euc_jp",
        ),
        ("korean.csv", "text,label\n이 영화는 정말 재미있었어요,1\n".encode("cp949"), "Try: data.encoding=cp949"),
        ("russian.csv", "text,label\nМне понравился фильм,1\n".encode("cp1251"), "encoding=<that of the file, such as"),
        (
            "japanese.csv",
            "text,label\nこの映画は良かった,1\n".encode("shift_jis"),
            "encoding=<that of the file, such as",
        ),
        ("neither.csv", b"text,label\n\x93a\x81,1\n", "Try: data.encoding=latin-1"),  # 0x81 is no letter in cp1252
        ("spaces.csv", b" text,label \na,1\n", """Try: 'data.text=" text"' 'data.label="label "'"""),
        ("case.csv", b"Label,TEXT\n1,a\n", "Try: data.text=TEXT data.label=Label"),
        ("longest.csv", b"n,kind,review\n1,x,a longer one\n", "Try: data.text=review data.label=n"),
        ("noheader.csv", b"good film,1\nbad film,0\nnice one,1\n", "Try: (printf 'text,label\\n'; cat "),
        ("scores.csv", b"0.25,good film\n1.5,bad film\n", "Try: (printf 'label,text\\n'; cat "),
        ("ft.txt", b"__label__pos good film\n", "Try: awk"),
        ("ft.csv", b"__label__pos good film\n", "Try: awk"),
        ("object.json", b'{\n "rows": []\n}\n', "line 1 is not JSON"),
        ("after.json", b'[{"text": "a", "label": 1}] x', "continues after its array"),
        ("short.json", b'[{"text": "a", "label": 1}', "expected , or ] and found 'the end'"),
        ("sheet.csv", b"PK\x03\x04\x14\x00\xff", "holds a zip archive, as .xlsx files are"),
        ("table.csv", b"PAR1\x15\x04\xff", "holds Parquet, not text. Rename it to .parquet"),
        ("sheet.xlsx", b"PK", "not '.xlsx'. Save the sheet as CSV"),
        ("bad.json", b'[{"text": "a", "label": 1}, {"text": b}]', "row 2 is not JSON"),
    ],
)
def test_a_file_that_is_nearly_right_gets_its_cure(name: str, content: bytes, expected: str, tmp_path: Path) -> None:
    assert expected in refused(write_bytes(tmp_path / name, content))


def test_the_cures_for_fasttext_for_a_missing_header_and_for_trailing_commas_work(tmp_path: Path) -> None:
    for name, line in (("ft.txt", "__label__{1} {0}"), ("no.csv", '"{0}",{1}'), ("no.tsv.gz", "{0}\t{1}")):
        raw = "\n".join(line.format(*row) for row in ROWS).encode()
        path = write_bytes(tmp_path / name, gzip.compress(raw) if name.endswith(".gz") else raw)
        command = refused(path).partition("Try: ")[2]
        subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    plain = read(write_bytes(tmp_path / "d.csv", COMMAS.encode())).fingerprint
    assert {read(tmp_path / name).fingerprint for name in ("fixed.tsv", "named.csv", "named.tsv")} == {plain}
    for name in ("a.csv", "b.csv.gz"):
        raw = COMMAS.replace("\n", ",\n").replace("label,", "label").encode()
        command = refused(write_bytes(tmp_path / name, gzip.compress(raw) if name.endswith(".gz") else raw))
        subprocess.run(command.partition("Try: ")[2], shell=True, cwd=tmp_path, check=True)
        assert read(tmp_path / "fixed.csv").fingerprint == plain
