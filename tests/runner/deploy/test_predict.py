from __future__ import annotations

import csv
import io
import json
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runner.deploy.deployed import find
from runner.deploy.predictor import Predictor
from runner.deploy.rows import arriving, opened, read
from runner.errors import ConfigError
from runner.verbs import predict


def told(output: Path, *words: str) -> None:
    """`run predict` in this process."""
    assert predict.main([*words, f"paths.output={output}"]) == 0


def test_a_text_gets_its_label_and_all_probabilities(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(output, "aaa", "the film was lovely")
    (answer,) = Predictor(find("aaaa", output, "auto"))(["the film was lovely"])
    first, *shares = capsys.readouterr().out.splitlines()
    assert first == answer["prediction"]
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
    alone = Predictor(find("aaaa", output, "auto"))
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

    found, sizes = arriving(rows(), 4), []
    sizes.append(len(next(found)))
    go_on.set()
    sizes += [len(batch) for batch in found]
    assert sizes[0] == 1 and sum(sizes) == 8 and max(sizes) <= 4


BAD = {
    "no column": ("in.csv", b"txt,label\na,1\n", "no column 'text'; its columns: txt, label. Try: text=txt"),
    "a row too long": ("in.csv", b"text,label\na,1\nb,2,3\n", "line 3: more fields"),
    "a row too short": ("in.csv", b"label,text\n1\n", "line 2: no text"),
    "an answer's name": ("in.csv", b"text,prediction\na,1\n", "a column 'prediction' already"),
    "no UTF-8": ("in.csv", b"text\na\xff\n", "is not UTF-8"),
    "no JSON": ("in.jsonl", b'{"text": "a"}\n{"text": \n', "line 2: is not JSON"),
    "no object": ("in.jsonl", b'["a"]\n', "line 1: expected an object"),
    "half a character": ("in.jsonl", b'{"text": "\\ud800"}\n', "surrogates not allowed"),
    "a number": ("in.jsonl", b'{"text": 5}\n', "line 1: no text under 'text'"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_one_message_and_writes_nothing(case: str, output: Path, tmp_path: Path) -> None:
    name, content, expected = BAD[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        told(output, "aaaa", str(tmp_path / name), f"out={tmp_path / 'out.csv'}")
    assert expected in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["aaaa"], "answers to what"),
        (["aaaa", "one", "two"], "reads one text"),
        (["bbbb", "one"], "reads two texts"),
        (["bbbb", "-"], "Try: input=jsonl"),
        (["aaaa", "nothing.csv"], "no such file"),
        (["aaaa", "a text", "batch_size=0"], "batch_size=0: expected a whole number"),
        (["aaaa", "a text", "engine=tf"], "expected one of auto, torch, onnx"),
        (["aaaa", "a text", "engine=onnx"], "Try: run export aaaa format=onnx"),
        (["cccc", "a text"], "is failed"),
        (["zzzz", "a text"], "no run starts with 'zzzz'"),
    ],
)
def test_a_bad_command_is_refused_with_the_cure(words: list[str], expected: str, output: Path) -> None:
    with pytest.raises(ConfigError, match=expected):
        told(output, *words)


def test_a_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(b"\xef\xbb\xbftext\r\na\r\n")
    with opened(tmp_path / "in.csv") as stream:
        assert list(read(stream, "csv", ["text"], "in.csv")) == [{"text": "a"}]
    assert list(read(io.StringIO("a\r\nb"), "lines", ["text"], "")) == [{"text": "a"}, {"text": "b"}]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"labels": ("a", "b", "c")}, "2 answers for 3 labels"),
        ({"max_length": 9999}, "64 positions for 9,999 tokens a text"),
        ({"task": "regression", "labels": ()}, "2 answers for 1 labels"),
    ],
)
def test_a_record_beside_another_model_is_refused(output: Path, change: dict[str, Any], expected: str) -> None:
    with pytest.raises(ConfigError, match=r"not of one model: .*force=true") as raised:
        Predictor(replace(find("aaaa", output, "auto"), **change))
    assert expected in str(raised.value)
