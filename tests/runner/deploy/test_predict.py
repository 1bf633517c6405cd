from __future__ import annotations

import csv
import gzip
import json
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.sources.options import ReadOptions
from runner.commands import predict
from runner.deploy.exported import find_model
from runner.deploy.predictor import Predictor
from runner.deploy.streams import chunks_as_they_arrive, read_texts
from runner.errors import USER_ERRORS, ConfigError
from runner.record.folder import find_record


def told(output: Path, *words: str) -> None:
    """`run predict` in this process."""
    assert predict.main([words[0], f"paths.output={output}", *words[1:]]) == 0


def test_a_text_gets_its_label_and_all_probabilities(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(output, "aaa", "the film was lovely")
    (answer,) = Predictor(find_model("aaaa", output, "auto"))(["the film was lovely"])
    first, *shares, words = capsys.readouterr().out.splitlines()
    assert first == answer["prediction"] and words == "  scores, not probabilities: no calibration is known for it"
    assert shares == [f"  {share:.4f}  {name}" for name, share in sorted(answer["probabilities"].items(),
                                                                         key=lambda item: -item[1])]  # fmt: skip


def test_rows_of_a_file_keep_their_columns_and_order(output: Path, tmp_path: Path) -> None:
    texts = [f"the film number {i}, {'lovely ' * (i % 7)}" for i in range(90)] + ['with "quotes",\nand lines', ""]
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([["id", "text"], *enumerate(texts)])
    told(output, "aaaa", str(path), f"out={out}", "batch_size=16")
    with out.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["text"] for row in rows] == texts and [row["id"] for row in rows] == [str(i) for i in range(92)]
    alone = Predictor(find_model("aaaa", output, "auto"))
    for row in rows[::13]:
        (answer,) = alone([row["text"]])
        assert row["prediction"] == answer["prediction"]
        assert float(row["p_positive"]) == pytest.approx(answer["probabilities"]["positive"], abs=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_other_columns_pairs_and_cut_texts(output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"first": "a dog slept", "then": "it slept", "n": 1}, {"first": "so " * 99, "then": "no", "n": None}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    told(output, "bbbb", str(tmp_path / "in.jsonl"), "text=first", "text_pair=then")
    said = capsys.readouterr()
    answered = [json.loads(line) for line in said.out.splitlines()]
    assert [{key: row[key] for key in rows[0]} for row in answered] == rows
    assert answered[0]["prediction"] in ("entailment", "neutral", "contradiction")
    assert "2 rows, 1 of them longer than 64 tokens and cut" in said.err


def test_lines_of_a_pipe_are_answered_as_they_come(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (asked, ask), (answered, answer) = os.pipe(), os.pipe()
    monkeypatch.setattr(sys, "stdin", os.fdopen(asked))
    monkeypatch.setattr(sys, "stdout", os.fdopen(answer, "w"))
    thread = threading.Thread(target=told, args=(output, "aaaa", "-"))
    thread.start()
    with os.fdopen(ask, "w", buffering=1) as questions, os.fdopen(answered) as answers:
        for text in ("first", "second, after the answer"):
            print(text, file=questions)
            assert json.loads(answers.readline())["text"] == text
    thread.join(30)
    assert not thread.is_alive()


def test_what_waits_is_one_batch() -> None:
    go_on = threading.Event()

    def rows() -> Iterator[dict[str, Any]]:
        yield {"text": "alone"}
        go_on.wait(10)
        yield from ({"text": str(i)} for i in range(7))

    found, sizes = chunks_as_they_arrive(rows(), 4), []
    sizes.append(len(next(found)))
    go_on.set()
    sizes += [len(batch) for batch in found]
    assert sizes[0] == 1 and sum(sizes) == 8 and max(sizes) <= 4


BAD = {
    "no column": ("in.csv", b"txt,label\na,1\n", "text='text' is not in in.csv (columns: txt, label). Try: text=txt"),
    "the column twice": ("in.csv", b"text,text\na,1\n", "in.csv has 2 columns of that name"),
    "the key twice": ("in.jsonl", b'{"text": "a", "text": "b"}', "line 1 has 'text' more than once"),
    "a row too long": ("in.csv", b"text,label\na,1\nb,2,3\n", "line 3 has 3 fields, the header 2"),
    "a row too short": ("in.csv", b"label,text\n1\n", "line 2 has 1 field, the header 2"),
    "a header alone": ("in.csv", b"label,text\n", "has no rows"),
    "an answer's name": ("in.csv", b"text,prediction\na,1\n", "a column 'prediction' already"),
    "no UTF-8": ("in.csv", b"text\na\xff\n", "line 2 is not utf-8. Try: encoding=latin-1"),
    "Windows quotes": ("in.csv", b"text\n\x93a\x94\n", "Try: encoding=cp1252"),
    "no JSON": ("in.jsonl", b'{"text": "a"}\n{"text": \n', "line 2 is not JSON"),
    "no object": ("in.jsonl", b'["a"]\n', "row 1 holds a str, not an object"),
    "half a character": ("in.jsonl", b'{"text": "\\ud800"}\n', "surrogates not allowed"),
    "nothing": ("in.jsonl", b'{"text": "a"}\n{"text": null}\n', "row 2: nothing under 'text'"),
    "a list": ("in.json", b'[{"text": ["a"]}]', "row 1: a list under 'text'"),
    "fastText": ("in.txt", b"__label__pos a film\n", "Try: awk"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_one_message_and_writes_nothing(case: str, output: Path, tmp_path: Path) -> None:
    name, content, expected = BAD[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(USER_ERRORS) as refused:
        told(output, "aaaa", str(tmp_path / name), f"out={tmp_path / 'out.csv'}")
    assert expected in str(refused.value) and "\n" not in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == [name]


ASKED = [{"text": "the film was lovely", "id": 1}, {"text": "so, so dull", "id": 2}]
PLAIN = b'id,text\n1,the film was lovely\n2,"so, so dull"\n'
AS_JSON = json.dumps(ASKED).encode()
FILES = {
    "d.csv": PLAIN,
    "D.CSV": PLAIN,
    "d.csv.gz": gzip.compress(PLAIN),
    "d.tsv": b"text\tid\nthe film was lovely\t1\nso, so dull\t2\n",
    "semicolons.csv": b"text;id\nthe film was lovely;1\nso, so dull;2\n",
    "repeated.csv": b'id,text,n,n\n1,the film was lovely,3,4\n2,"so, so dull",3,4\n',
    "blank.jsonl": json.dumps(ASKED[0]).encode() + b"\n\n" + json.dumps(ASKED[1]).encode(),
    "d.ndjson": b"\n".join(json.dumps(row).encode() for row in ASKED),
    "array.json": AS_JSON,
    "array.jsonl": json.dumps(ASKED, indent=1).encode(),
    "d.json.gz": gzip.compress(AS_JSON),
    "d.parquet": None,
    "d.parquet.gz": None,
}


@pytest.mark.parametrize("name", FILES)
def test_what_training_reads_is_answered(
    name: str, output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / name, tmp_path / "out.jsonl"
    if (content := FILES[name]) is None:
        pq.write_table(pa.Table.from_pylist(ASKED), path)
        content = path.read_bytes() if not name.endswith(".gz") else gzip.compress(path.read_bytes())
    path.write_bytes(content)
    told(output, "aaaa", str(path), f"out={out}")
    answers = [json.loads(line) for line in out.read_text().splitlines()]
    assert [answer["text"] for answer in answers] == [row["text"] for row in ASKED]
    assert [int(answer["id"]) for answer in answers] == [1, 2]
    assert all(answer["prediction"] in ("negative", "positive") for answer in answers)
    assert not name.startswith("repeated") or (answers[0]["n"], answers[0]["n.1"]) == ("3", "4")


def test_dates_come_back_and_a_column_of_numbers_is_refused_as_in_training(output: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "d.parquet", tmp_path / "out.jsonl"
    pq.write_table(pa.Table.from_pylist([{"text": "five", "day": date(2026, 1, 2)}]), path)
    told(output, "aaaa", str(path), f"out={out}")
    assert json.loads(out.read_text())["day"] == "2026-01-02"
    pq.write_table(pa.Table.from_pylist([{"text": 5, "review": "a film"}]), path)
    with pytest.raises(USER_ERRORS, match=r"holds int64, not text\. Try: text=review"):
        told(output, "aaaa", str(path))


def test_a_text_that_looks_like_a_file_or_a_setting_goes_after_two_dashes(
    output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.csv").write_text("text\na\n")
    for text in ("there.csv", "x.csv", "out=a.csv", "-", "-h"):
        told(output, "aaaa", "--", text)
        assert capsys.readouterr().out.startswith(("negative\n", "positive\n"))
    told(output, "aaaa", "text=there.csv")
    assert capsys.readouterr().out.startswith(("negative\n", "positive\n")), "without a file it is the text itself"
    told(output, "aaaa", "out=a.jsonl", "--", "x.csv")
    assert json.loads(Path("a.jsonl").read_text())["text"] == "x.csv"
    told(output, "aaaa", "so " * 100_000)  # longer than any path


@pytest.mark.parametrize("name", ["aaaa", "aaaa/model"])
def test_the_folder_of_a_run_and_its_model_are_the_run(name: str, output: Path, tmp_path: Path) -> None:
    assert find_model(str(output / name), tmp_path, "auto") == find_model("aaaa", output, "auto")
    assert find_record(output, str(output / name)) == find_record(output, "aaaa")
    with pytest.raises(ConfigError, match=f"Try: aaaa paths.output={output}"):
        find_record(tmp_path, str(output / name))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["aaaa"], "no text and no file"),
        (["aaaa", "one", "two"], "reads one text"),
        (["bbbb", "one"], "reads two texts"),
        (["bbbb", "-"], "Try: input=jsonl"),
        (["aaaa", "nothing.csv"], "no such file.* run predict aaaa text=nothing.csv"),
        (["aaaa", "NOTHING.TSV"], "no such file"),
        (["bbbb", "one", "nothing.json.gz"], "no such file"),
        (["aaaa", "words", "input=csv"], "no such file"),
        (["aaaa", "."], "is a folder"),
        (["aaaa", __file__], "its name must end in .csv"),
        (["aaaa", __file__, "two", "input=lines"], "only one can be read at a time"),
        (
            ["aaaa", __file__, "data.text=review"],
            r"'data.text=review' is not one of its options \(.* Try: text=review;",
        ),
        (
            ["aaaa", __file__, "outt=a.csv", "input=lines"],
            r"'outt=a.csv' is not one of its options \(.* Try: out=a.csv;",
        ),
        (["aaaa", __file__, "input=lines", "delimiter=tab"], "has no effect on lines"),
        (["aaaa", "-", "encoding=klingon"], "no such encoding. Try: encoding=utf-8"),
        (["aaaa", "-", "input=parquet"], "expected one of lines, csv"),
        (["aaaa", "-", "text_pair=b"], "this model reads one text"),
        (["aaaa", "a text", "text=b"], "is for the rows of a file"),
        (["aaaa", "a text", "out=b.txt"], "Try: out=b.csv"),
        (["aaaa", "a text", "batch_size=0"], "batch_size=0: expected a whole number"),
        (["aaaa", "a text", "engine=tf"], "expected one of auto, torch, onnx"),
        (["aaaa", "a text", "engine=onnx"], "Try: run export aaaa format=onnx"),
        (["cccc", "a text"], "is failed"),
        (["zzzz", "a text"], "no run starts with 'zzzz'"),
    ],
)
def test_a_bad_command_is_refused_with_the_cure(words: list[str], expected: str, output: Path) -> None:
    with pytest.raises(USER_ERRORS, match=expected):
        told(output, *words)


def test_a_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b"\xef\xbb\xbftext\r\na\r\n")
    assert list(read_texts(tmp_path / "in.csv", "csv", ReadOptions({"text": "text"}))) == [{"text": "a"}]
    (tmp_path / "in.txt").write_bytes(b"a\r\nb")
    assert list(read_texts(tmp_path / "in.txt", "lines", ReadOptions({"text": "text"}))) == [
        {"text": "a"},
        {"text": "b"},
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"labels": ("a", "b", "c")}, "2 outputs for 3 labels"),
        ({"max_length": 9999}, "64 positions for 9,999 tokens a text"),
        ({"task": "regression", "labels": ()}, "2 outputs for 1 labels"),
    ],
)
def test_a_record_beside_another_model_is_refused(output: Path, change: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=r"do not match: .*force=true") as raised:
        Predictor(replace(find_model("aaaa", output, "auto"), **change))
    assert expected in str(raised.value)


def test_a_model_of_texts_reads_no_conll_file(output: Path, tmp_path: Path) -> None:
    path = tmp_path / "words.conll"
    path.write_text("mr O\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="one word per line, but this model reads texts"):
        told(output, "aaaa", str(path))


def test_the_file_that_is_read_is_never_replaced(output: Path, tmp_path: Path) -> None:
    source, link = tmp_path / "rows.csv", tmp_path / "link.csv"
    source.write_text("text;stars\ngood;5\n", encoding="utf-8")
    link.symlink_to(source)
    for out in (source, link):
        with pytest.raises(ConfigError, match=rf"{out.name} is the file that is read. Try: out={out.stem}-answers.csv"):
            predict.main(["aaaa", str(source), f"out={out}", f"paths.output={output}"])
    assert source.read_text(encoding="utf-8") == "text;stars\ngood;5\n"


def test_a_folder_that_is_not_there_comes_with_a_cure(output: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text\ngood\n", encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"cannot be written: No such file or directory\. Try: out=<a folder .*>/a\.csv"
    ):
        told(output, "aaaa", str(tmp_path / "rows.csv"), f"out={tmp_path / 'none' / 'a.csv'}")
