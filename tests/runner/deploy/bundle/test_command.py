"""The command of a bundle: texts, tables and standard input, and what it says of mistakes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner import sanitize
from runner.deploy.bundle.command import cell, lines_of, main
from runner.deploy.bundle.predict import Model
from tests.models.packed.golden import golden_content
from tests.runner.deploy.bundle.test_bag import content


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    (tmp_path / "model.bin").write_bytes(golden_content())
    return tmp_path


def ask(folder: Path, *words: str) -> int:
    return main(list(words), lambda: Model(folder))


def test_a_text_is_answered_with_a_line_of_json(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(golden, "not bad") == 0
    assert json.loads(capsys.readouterr().out) == Model(golden)("not bad")


@pytest.mark.parametrize("text", ["not bad. " * 40 + "good", "not bad." * 200 + " good", "a.\x00b", "a.\ud83d b"])
def test_a_text_that_no_path_can_be_is_answered(golden: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert ask(golden, text) == 0, capsys.readouterr().err
    assert json.loads(capsys.readouterr().out) == Model(golden)(text)


def test_two_texts_are_a_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.bin").write_bytes(content(texts=2))
    assert ask(tmp_path, "good", "bad") == 0
    assert json.loads(capsys.readouterr().out) == Model(tmp_path)("good", "bad")
    assert ask(tmp_path, "good") == 2 and ask(tmp_path, "-") == 2
    assert "reads 2 at a time, but got 1" in (said := capsys.readouterr().err) and "a line is one" in said


@pytest.mark.parametrize(("name", "delimiter"), [("out.csv", ","), ("out.tsv", "\t")])
def test_rows_of_a_table_get_their_answers_beside_them(golden: Path, name: str, delimiter: str) -> None:
    texts = ["good", 'said "not bad",\nthen left', "naïve"]
    with (golden / "rows.csv").open("w", encoding="utf-8-sig", newline="") as target:
        csv.writer(target).writerows([["id", "review"], *enumerate(texts)])
    out = golden / name
    assert ask(golden, str(golden / "rows.csv"), "--text", "review", "--out", str(out)) == 0
    with out.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source, delimiter=delimiter))
    assert [row["review"] for row in rows] == texts and list(rows[0]) == [
        "id",
        "review",
        "prediction",
        "p_neg",
        "p_pos",
    ]
    for row, answer in zip(rows, Model(golden)(texts)):
        assert row["prediction"] == answer["prediction"]
        assert float(row["p_pos"]) == answer["probabilities"]["pos"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,prediction\ngood,old\n", "there is a column 'prediction' already"),
        ("text,p_pos\ngood,0.1\n", "there is a column 'p_pos' already"),
    ],
)
def test_no_column_of_a_table_is_written_over(
    golden: Path, capsys: pytest.CaptureFixture[str], content: str, message: str
) -> None:
    (golden / "rows.csv").write_text(content, encoding="utf-8")
    assert ask(golden, str(golden / "rows.csv")) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "texts", "cure"),
    [
        ("notes.txt", 1, "for one text a line, predict.py - < "),
        ("notes.txt", 2, "a .csv file with these rows"),
        ("rows.jsonl", 1, "a .csv file with these rows"),
        ("rows.csv.gz", 1, "a .csv file with these rows"),
    ],
)
def test_the_name_of_another_file_is_no_text_and_the_rows_of_a_table_are_no_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, texts: int, cure: str
) -> None:
    (tmp_path / "model.bin").write_bytes(content(texts=texts))
    (tmp_path / name).write_bytes(b"x")
    assert ask(tmp_path, str(tmp_path / name)) == 2
    assert f"{name}: is neither a .csv nor a .tsv file. Try: {cure}" in capsys.readouterr().err


def test_a_table_in_another_encoding_is_named(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (golden / "rows.csv").write_bytes("text\ncafé\n".encode("cp1252"))
    assert ask(golden, str(golden / "rows.csv")) == 2
    assert "rows.csv: is not UTF-8" in capsys.readouterr().err


def test_no_text_of_a_table_runs_as_a_formula(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (golden / "rows.csv").write_text('text,=id\n"=HYPERLINK(""x"")",-1.5\n+good,@me\n', encoding="utf-8")
    assert ask(golden, str(golden / "rows.csv")) == 0
    head, first, second = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head[:2] == ["text", "'=id"]
    assert first[:2] == ['\'=HYPERLINK("x")', "-1.5"] and second[:2] == ["'+good", "'@me"]
    values = [
        "",
        "good",
        "=1+1",
        "-",
        "-1",
        " -1",
        "1e5",
        "\tx",
        "a\tb\nc",
        "\x1b[0m",
        "\u202e",
        "\ud800",
        "nan",
        3,
        None,
        0.5,
    ]
    assert [cell(value) for value in values] == [sanitize.cell(value) for value in values]


def test_a_cell_may_hold_a_book(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (golden / "rows.csv").write_text("text\n" + "not bad " * 20_000, encoding="utf-8")
    assert ask(golden, str(golden / "rows.csv"), "--out", str(golden / "out.csv")) == 0, capsys.readouterr().err


def test_lines_of_standard_input_are_answered_as_they_come(
    golden: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("good\n\nbad\n"))
    assert ask(golden, "-") == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == Model(golden)(["good", "", "bad"])


def test_a_byte_order_mark_before_the_lines_is_no_part_of_a_text() -> None:
    assert list(lines_of(io.StringIO("\ufeffgood\n\ufeffbad"))) == ["good", "\ufeffbad"]


def test_mistakes_are_one_line_and_leave_no_file(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (golden / "rows.csv").write_text("id,review\n1,good\n2\n", encoding="utf-8")
    out = str(golden / "out.csv")
    assert ask(golden, str(golden / "rows.csv"), "--out", out) == 2
    assert "has no column 'text' (columns: id, review)" in capsys.readouterr().err
    assert ask(golden, str(golden / "rows.csv"), "--text", "review", "--out", out) == 2
    assert "line 3: fields: 1, columns: 2" in capsys.readouterr().err
    assert {file.name for file in golden.iterdir()} == {"model.bin", "rows.csv"}
    (golden / "model.bin").write_bytes(b"")
    assert ask(golden, "good") == 2
    assert capsys.readouterr().err.endswith("not a model.bin\n")
    assert ask(golden) == 2


def test_a_table_is_read_by_the_columns_of_the_training_data(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (golden / "deploy.json").write_text('{"columns": ["review"]}', encoding="utf-8")
    (golden / "rows.csv").write_text("id,review\n1,good\n", encoding="utf-8")
    (golden / "usual.csv").write_text("text\ngood\n", encoding="utf-8")
    for name in ("rows.csv", "usual.csv"):
        assert ask(golden, str(golden / name)) == 0
    assert capsys.readouterr().out.count("pos") == 4, "the header and the label of each"


@pytest.mark.parametrize(
    ("words", "message"),
    [(["none.csv"], "none.csv: no such file"), (["rows.csv", "--out", "none/a.csv"], "there is no folder none")],
)
def test_a_file_that_is_not_there_is_said(
    golden: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(golden)
    Path("rows.csv").write_text("text\ngood\n", encoding="utf-8")
    assert ask(golden, *words) == 2 and message in capsys.readouterr().err
    assert ask(golden, "a film of none.csv") == 0, "a text"
    Path("model.bin").unlink()
    assert ask(golden, "good") == 2 and "model.bin: no such file. Get a fresh copy" in capsys.readouterr().err


def test_a_missing_package_is_named_and_a_closed_pipe_ends_quietly(capsys: pytest.CaptureFixture[str]) -> None:
    def load(error: Exception) -> None:
        raise error

    assert main(["good"], lambda: load(ModuleNotFoundError("x", name="onnxruntime"))) == 2
    said = capsys.readouterr().err
    assert said == "predict.py: the package onnxruntime is missing. Try: pip install -r requirements.txt\n"
    assert main(["good"], lambda: load(BrokenPipeError())) == 0 and not capsys.readouterr().err


def test_a_name_that_ends_in_jsonl_gets_lines_of_json_and_the_input_is_never_replaced(
    golden: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, out = golden / "rows.csv", golden / "out.jsonl"
    rows.write_text("text\ngood\nnot bad\n", encoding="utf-8")
    assert ask(golden, str(rows), "--out", str(out)) == 0
    for line, text in zip(out.read_text(encoding="utf-8").splitlines(), ["good", "not bad"], strict=True):
        answer = Model(golden)(text)
        shares = {f"p_{label}": share for label, share in answer["probabilities"].items()}
        assert json.loads(line) == {"text": text, "prediction": answer["prediction"]} | shares
    assert ask(golden, str(rows), "--out", str(golden / "." / "rows.csv")) == 2
    assert "is the file being read" in capsys.readouterr().err
    assert rows.read_text(encoding="utf-8") == "text\ngood\nnot bad\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["good", "--out", "a.csv"], "--out a.csv: these answers are lines of JSON. Try: --out a.jsonl"),
        (["good", "--text", "review"], "--text review: names a column of a .csv or .tsv file"),
        (["rows.csv", "--pair", "review"], "--pair review: this model reads one text at a time"),
        (["rows.csv", "--out", "a.xlsx"], "--out a.xlsx: expected a name that ends in .csv, .tsv or .jsonl"),
        (["./folder/"], "./folder/: is a folder, but a file is needed"),
    ],
)
def test_what_would_have_no_effect_or_another_form_is_refused(
    golden: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    monkeypatch.chdir(golden)
    (golden / "rows.csv").write_text("text,review\ngood,bad\n", encoding="utf-8")
    (golden / "folder").mkdir()
    assert ask(golden, *words) == 2 and message in capsys.readouterr().err
    assert {path.name for path in golden.iterdir()} == {"rows.csv", "folder", "model.bin"}


def test_a_damaged_calibration_is_told_beside_the_answers(golden: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (golden / "calibration.json").write_text('{"method": "temp', encoding="utf-8")
    assert ask(golden, "not bad") == 0
    found = capsys.readouterr()
    assert json.loads(found.out) and found.err.count("\n") == 1
    assert found.err.startswith("predict.py: scores, not probabilities: calibration.json is damaged")
    (golden / "calibration.json").unlink()
    assert ask(golden, "not bad") == 0 and capsys.readouterr().err == ""


def test_ctrl_c_ends_lines_of_standard_input(golden: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines() -> Iterator[str]:
        yield "not bad\n"
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", lines())
    assert ask(golden, "-") == 130
