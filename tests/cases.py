"""Small input files such as users have, each with one peculiarity, for `tests/test_cases.py`.

The file's name says what is peculiar. The texts are always the same learnable ones, and all are invented.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

NOUNS = ("staff", "bakery", "counter", "soup", "room", "garden", "pillow")
GOOD, BAD = ("clean", "warm", "bright", "friendly", "quick"), ("stale", "slow", "dim", "awful", "rude")
Row = tuple[Any, ...]


def texts(count: int = 300, start: int = 0) -> list[str]:
    """Distinct texts, alternately bad and good."""
    found = []
    for i in range(start, start + count):
        words = GOOD if i % 2 else BAD
        found.append(f"the {NOUNS[i % 7]} was {words[i % 5]} and {words[(i // 5) % 5]} on day {i}")
    return found


def labelled(names: Sequence[Any] = (0, 1), count: int = 300, change: Callable[[str], str] = str) -> list[Row]:
    """Rows of text and label, cycling through the labels."""
    return [(change(text), names[i % len(names)]) for i, text in enumerate(texts(count))]


def sheet(rows: Iterable[Row], header: Sequence[str] = ("text", "label"), end: str = "\n", **form: Any) -> str:
    """The rows as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator=end, **form)
    if header:
        writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def replaced(rows: list[Row], label: Any, every: int) -> list[Row]:
    """The rows with `label` in every `every`-th of them, starting with the first."""
    return [(text, label if i % every == 0 else old) for i, (text, old) in enumerate(rows)]


def objects(rows: Iterable[Row], form: Callable[[Any, Any], dict[str, Any]]) -> str:
    """The rows as JSON Lines, one object per row."""
    return "".join(json.dumps(form(text, label), ensure_ascii=False) + "\n" for text, label in rows)


def plain(text: Any, label: Any) -> dict[str, Any]:
    return {"text": text, "label": label}


def label_files() -> dict[str, str]:
    """CSV files with peculiar labels."""
    words, rows = labelled(("neg", "pos")), labelled()
    scores = [(text, f"{(i % 2) * 3 + (i % 97) / 97:.3f}") for i, (text, _) in enumerate(rows)]
    return {
        "plain.csv": sheet(rows),
        "train_words.csv": sheet(words),
        "bool.csv": sheet(labelled((False, True))),
        "comma_label.csv": sheet(labelled(("a=b [c]", "food, drinks"))),
        "yesno.csv": sheet(labelled(("no", "yes")), end="\r\n"),
        "lead0.csv": sheet(labelled(("012", "007"))),
        "mixed_num.csv": sheet(labelled((0, "1.0", 0, 1))),
        "nfc.csv": sheet(labelled(("bar", "café", "bar", "cafe\u0301"))),
        "tr.csv": sheet(labelled(("kötü", "İYİ"))),
        "space_labels.csv": sheet(labelled(("neg", " pos", "neg", "pos "))),
        "zwsp.csv": sheet(labelled(("neg", "pos", "neg", "pos\u200b"))),
        "float_label.csv": sheet(labelled((0.0, 1.0))),
        "float_nan.csv": sheet(replaced(labelled((0.0, 1.0)), "", 150)),
        "nan_label_num.csv": sheet(replaced(rows, "nan", 30)),
        "nan_label_word.csv": sheet(replaced(words, "nan", 30)),
        "none_label_word.csv": sheet(replaced(words, "None", 30)),
        "reg.csv": sheet(scores),
        "reg_big.csv": sheet((text, f"{200000 + 25000 * float(score):.1f}") for text, score in scores),
        "rare1.csv": sheet(replaced(words, "rare", 300)),
        "imb.csv": sheet((text, "fraud" if i % 200 == 7 else "ok") for i, text in enumerate(texts(2400))),
        "c150.csv": sheet((f"{text} topic{i % 150}", f"c{i % 150:03}") for i, text in enumerate(texts(1500))),
    }


def layout_files() -> dict[str, str | bytes]:
    """Text files, mostly CSV and TSV, with a peculiar format, header or texts."""
    rows = labelled()
    return {
        "case.csv": sheet(rows, ("Text", "Label")),
        "colspaces.csv": sheet(rows, (" text", "label ")),
        "bom_crlf.csv": b"\xef\xbb\xbf" + sheet(labelled(("no", "yes")), end="\r\n").encode(),
        "cp1252.csv": sheet(labelled(change=lambda t: f"{t} – it’s “fine” €5 café")).encode("cp1252"),
        "empty_last.csv": sheet(rows) + ",\n,\n",
        "html.csv": sheet(labelled(change=lambda t: f"<p>{t}</p><script>1</script>")),
        "index.csv": sheet(((i, *row) for i, row in enumerate(rows)), ("", "text", "label")),
        "nan_text.csv": sheet(("nan" if i % 30 == 0 else text, y) for i, (text, y) in enumerate(rows)),
        "semicolon.csv": sheet(rows, delimiter=";"),
        "semicolon_comma.csv": sheet(labelled(change=lambda t: t.replace(" and", ", and")), delimiter=";"),
        "trailing_comma.csv": sheet((*row, "") for row in rows),
        "noheader.csv": sheet(rows, ()),
        "nl.tsv": sheet(rows, delimiter="\t") + '"the soup was\ncold"\t0\n',
        "all.tsv": sheet(rows, delimiter="\t", quoting=csv.QUOTE_ALL),
        "quoted.tsv": sheet(labelled(change=lambda t: f'{t} "cited" x'), delimiter="\t"),
        "quoted_nl.csv": sheet(labelled(change=lambda t: f'{t}\nsecond "line", here')),
        "dupcol.csv": sheet(((text, "yx"[y], y) for text, y in rows), ("text", "label", "label")),
        "dupcol2.csv": sheet(((text, "y", y) for text, y in rows), ("text", "label", "label")),
        "mein ordner ü/ünï/daten (1),a=b.csv": sheet(rows),
        "ft.txt": "".join(f"__label__{label} {text}\n" for text, label in labelled(("neg", "pos"))),
    }


def object_files() -> dict[str, str]:
    """JSON files."""
    rows = labelled()
    array = json.dumps([plain(*row) for row in rows])
    return {
        "array.json": array,
        "array.jsonl": array,
        "multi.jsonl": objects(labelled((["c"], ["a", "b"])), plain),
        "textdict.jsonl": objects(rows, lambda text, y: plain({"en": text}, y)),
        "nested.jsonl": objects(rows, lambda text, y: {"data": {"text": text}, "meta": {"label": y}}),
    }


def split_files() -> dict[str, str]:
    """Files with repeated texts, and files used only for testing."""
    repeated = [(text, i % 2) for i, (text, _) in enumerate(labelled(count=60) * 5)]
    few = labelled(count=40)
    return {
        "dupes.csv": sheet(repeated),
        "conflict.csv": sheet((text, 1 - y if i == 70 else y) for i, (text, y) in enumerate(repeated)),
        "overlap_train.csv": sheet(labelled(count=200)),
        "overlap_test.csv": sheet(labelled(count=100)),
        "test_nolabel.csv": sheet(((text,) for text in texts(40)), ("text",)),
        "test_minus1.csv": sheet(labelled((-1,), 40)),
        "test_unseen.csv": sheet(replaced(few, 2, 41)),
        "test_reordered.csv": sheet(((y, i, text) for i, (text, y) in enumerate(few)), ("label", "id", "text")),
    }


def files_to_predict() -> dict[str, str | bytes]:
    """Input files for predictions."""
    return {
        "PR_UP.CSV": "text,id\nthe soup was lovely,1\n",
        "pr.tsv": "text\tid\nthe soup was lovely\t1\n",
        "pr_blank.csv": "text,id\nthe soup was lovely,1\n\n\nthe room was rude,2\n",
        "pr_blank.jsonl": '{"text":"the soup was lovely"}\n\n{"text":"the room was awful"}\n',
        "pr_cp1252.csv": "text\r\ncafé – it’s\r\n".encode("cp1252"),
        "pr_dupcol.csv": "text,text\r\nthe soup was warm,the room was rude\r\n",
        "pr_empty.csv": 'text\r\n""\r\n   \r\nthe soup\r\n',
        "pr_header_only.csv": "text,id\n",
        "pr_long.csv": f"text\r\n{'the soup was lovely ' * 10000}\r\nshort\r\n",
        "pr_missing.csv": "review\r\nthe soup was lovely\r\n",
        "pr_null.jsonl": '{"text":null}\n',
        "pr_num.jsonl": '{"text":5}\n',
        "pr_predcol.csv": "text,prediction,label,p_0\r\nthe soup was lovely,OLD,1,0.123\r\n",
        "pr_semi.csv": "text;id\r\nthe soup, was lovely;1\r\n",
        "pr_short.csv": "id,text\n1,the soup was lovely\n2\n",
    }


def table(label: Any, text: Any = None) -> pa.Table:
    """The content of a Parquet file; text: None: the usual texts."""
    return pa.table({"text": texts() if text is None else text, "label": label})


def parquet_files() -> dict[str, pa.Table]:
    """Parquet files with peculiar column types or names."""
    found, ids = texts(), pa.array([0, 1] * 150)
    coded = pa.array(["neg", "pos"] * 150).dictionary_encode()
    dates = pa.array([0, 86_400_000] * 150, pa.timestamp("ms"))
    return {
        "p_bin.parquet": table(ids, [text.encode() for text in found]),
        "p_bool.parquet": table([False, True] * 150),
        "p_cat.parquet": table(coded, pa.array(found, pa.large_string())),
        "p_dict.parquet": table(coded, pa.array(found).dictionary_encode()),
        "p_dot.parquet": pa.table({"review.text": found, "y": ids, "review": found}),
        "p_dup.parquet": pa.Table.from_arrays([pa.array(found), ids, ids], names=["text", "label", "label"]),
        "p_float_nan.parquet": table([0.0, 1.0] * 149 + [float("nan")] * 2),
        "p_index.parquet": table(coded),
        "p_large.parquet": table(ids.cast(pa.int8()), pa.array(found, pa.large_string())),
        "p_list.parquet": table([["c"], ["a", "b"]] * 150),
        "p_null.parquet": table([None, 1, 0, 1, 0, 1] * 50),
        "p_struct.parquet": pa.table({"data": [{"text": text, "label": i % 2} for i, text in enumerate(found)]}),
        "p_ts.parquet": table(dates),
        "p_view.parquet": table(ids, pa.array(found).cast(pa.string_view())),
    }


def hub_folders() -> dict[str, pa.Table]:
    """The files of folders that are read like datasets from the hub."""
    files: dict[str, pa.Table] = {}
    labels: dict[str, list[Any]] = {
        "bool": [False, True],
        "float": [0.6, 2.6],
        "multi": [["c"], ["a", "b"]],
        "nonefirst": [None, 0, 1],
        "s140": [0, 4],
        "stars": [1, 5],
        "stars5": [1, 2, 3, 4, 5],
        "strint": ["0", "1"],
        "strs": ["neg", "pos"],
        "sts": [i / 5 for i in range(25)],
    }
    for split, start, count in (("train", 0, 200), ("test", 200, 50)):
        for name, values in labels.items():
            rows = [values[i % len(values)] for i in range(count)]
            files[f"hub_{name}/{split}.parquet"] = table(rows, texts(count, start))
        for name, odd in {"emptytext": "", "nulltext": None}.items():
            files[f"hub_{name}/{split}.parquet"] = table([0, 1] * (count // 2), [odd, *texts(count - 1, start)])
        files[f"hub_nottext/{split}.parquet"] = table([0, 1] * (count // 2), list(range(count)))
        names = ["a", "b"] if split == "train" else ["c", "a"]
        files[f"hub_testorder/{split}.parquet"] = table(names * (count // 2), texts(count, start))
        ids = [0, 1] if split == "train" else [-1, -1]
        files[f"hub_minus/{split}.parquet"] = table(ids * (count // 2), texts(count, start))
    files["hub_trainonly/train.parquet"] = table(pa.array([0, 1] * 150))
    return files


def write(folder: Path) -> Path:
    """Write all files below a folder, and return the folder."""
    contents = label_files() | layout_files() | object_files() | split_files() | files_to_predict()
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "plain.csv.gz").write_bytes(gzip.compress((folder / "plain.csv").read_bytes()))
    for name, rows in (parquet_files() | hub_folders()).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, path)
    (folder / "hub_script").mkdir()
    (folder / "hub_script" / "hub_script.py").write_text("raise SystemExit('a loading script ran')\n")
    return folder
