"""Text from outside is shown and never obeyed: by a terminal, a spreadsheet, a browser or a reader of logs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from runner.compare.export import write_csv
from runner.compare.report import write_report
from runner.deploy.streams import RowWriter
from runner.errors import refuse
from runner.experiment.progress import Terminal
from runner.record.writer import RecordWriter
from runner.sanitize import cell, code_span, escape, mask, masked, visible
from tests.conftest import run_cli
from tests.records import a_record, read, record_json
from tests.runner.compare.folders import typed, write_group

EVIL = "\x1b]0;owned\x07\x1b[2J\u202efdp.exe\ud800\x9b31m"


def test_control_characters_are_spelled_out_and_markup_is_text() -> None:
    shown = visible(f"a{EVIL}b\tc\nd")
    assert shown.isprintable() is False and shown.replace("\t", "").replace("\n", "").isprintable()
    assert "\\x1b]0;owned\\x07" in shown and "\\u202e" in shown and "\\ud800" in shown
    console = Console(file=io.StringIO(), force_terminal=True, highlight=False, width=200)
    console.print(escape("[red]\x1b[31mlabel[/red]"))
    assert console.file.getvalue() == "[red]\\x1b[31mlabel[/red]\n"  # type: ignore[attr-defined]


def test_messages_and_progress_obey_nothing_and_keep_secrets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "correct horse")
    refuse([f"data.path={EVIL}: no such file", "http://me:pw@host refused correct horse"])
    Terminal().say(f"epoch {EVIL} http://me:pw@host correct horse")
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert "\x1b" not in text and "\x9b" not in text and "\u202e" not in text
        assert "me:pw" not in text and "correct horse" not in text and "http://***@host" in text


@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "-", "= 1"])
def test_text_like_a_formula_is_text_to_a_spreadsheet(text: str) -> None:
    assert cell(text) == f"'{visible(text)}"


@pytest.mark.parametrize("value", ["-1", "+1.5", "-1e-5", "a=1", "", None, -1.5, 3, "-inf"])
def test_numbers_and_other_text_stay_as_they_are(value: object) -> None:
    assert cell(value) == value


def test_a_cell_turns_no_text_around() -> None:
    assert cell("\u202egnp.exe") == r"\u202egnp.exe"


def test_csv_files_of_comparisons_and_predictions_hold_no_formula() -> None:
    table, answers = io.StringIO(), io.StringIO()
    write_csv([{"group": "=cmd|x", "=mean": -0.5, "n": None}], table)
    RowWriter(answers, "csv").write([{"text": "@evil", "prediction": "=2", "p_=2": 0.5}])
    assert list(csv.reader(io.StringIO(table.getvalue()))) == [["group", "'=mean", "n"], ["'=cmd|x", "-0.5", ""]]
    assert list(csv.reader(io.StringIO(answers.getvalue())))[1] == ["'@evil", "'=2", "0.5"]


def test_lines_of_json_keep_everything_and_control_nothing() -> None:
    stream, row = io.StringIO(), {"text": f"=1 {EVIL}", "prediction": "gut"}
    RowWriter(stream, "jsonl").write([row, {"text": "schön"}])
    first, second = stream.getvalue().splitlines()
    assert json.loads(first) == row and first.isascii() and second == '{"text": "schön"}'


def test_a_report_shows_names_from_outside_as_text(tmp_path: Path) -> None:
    name = "</script><img src=x onerror=alert(1)>"
    records = write_group(tmp_path, "model=dsn", f"data.name='{name}'", right=[150, 151])
    records += write_group(tmp_path, "model=bert-tiny", "data.name='=cmd'", right=[160, 161])
    write_report(typed(records), tmp_path / "report", title=name, question=name, output=tmp_path)
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert page.count("</script>") == 1 and "<img" not in page
    assert "\n=" not in (tmp_path / "report" / "runs.csv").read_text(encoding="utf-8").replace(",", "\n")


def test_a_record_holds_no_secret_whatever_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "geheimnis-7")
    config = record_json()["config"] | {"x": ["https://u:pw@h"]}
    header = a_record(overrides=["tracker.uri=http://u:pw@h", "data.id=geheimnis-7"], config=config)
    record = RecordWriter.begin(tmp_path, header, logged=None)
    record.finish("failed", "OSError: https://u:pw@h/geheimnis-7 refused")
    text = (tmp_path / "record.json").read_text(encoding="utf-8")
    assert "pw@" not in text and "geheimnis" not in text
    assert (read(tmp_path) or {})["reason"] == "OSError: https://***@h/*** refused"


def test_a_shown_config_hides_the_password_in_an_address(tmp_path: Path) -> None:
    done = run_cli("tracker.uri=http://me:pw@host", "--cfg", "job", cwd=tmp_path)
    assert done.returncode == 0 and "uri: http://***@host" in done.stdout and "me:pw" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["data=files", "data.path='~nobody-of-that-name/x.csv'"], "no such user"),
        (["data=files", "data.path='a\udcffb.csv'"], "not UTF-8"),
        (["a" * 5000 + "=1"], "no such key"),
        (["show", "paths.output=~nobody-of-that-name"], "paths.output=outputs"),
        (["show", "x", "paths.output=" + "x" * 5000], "too long"),
        (["predict", "x" * 5000, "a text"], "too long"),
        (["cache=${seed}"], "run --cfg job"),
    ],
)
def test_paths_that_cannot_be_are_refused_in_one_line(words: list[str], expected: str, tmp_path: Path) -> None:
    done = run_cli(*words, cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr and expected in done.stderr, done.stderr[-500:]
    assert len(done.stderr.splitlines()) == 1 and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:secret@host:5000/x", "http://***@host:5000/x"),
        ("postgresql+psycopg2://me:p@ss:word@db/mlflow", "postgresql+psycopg2://***@db/mlflow"),
        ("https://token@host", "https://***@host"),
        ("https://host/api?token=secret&page=2", "https://host/api?token=***&page=2"),
        ("['tracker.uri=http://a:secret@h', 'seed=1']", "['tracker.uri=http://***@h', 'seed=1']"),
        ("https://h/x?access_token=abcdefgh&a=1", "https://h/x?access_token=***&a=1"),
        ("https://h/x?X-Amz-Signature=abcdefgh", "https://h/x?X-Amz-Signature=***"),
        ("Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer ***"),
        ("token hf_abcdefghijklmnopqrstuvwxyz012345", "token ***"),
        ("model hf_bert_base", "model hf_bert_base"),
        ("http://host/path@2", "http://host/path@2"),
        ("write to me@example.org about http://host", "write to me@example.org about http://host"),
    ],
)
def test_mask_hides_credentials_and_nothing_else(text: str, shown: str) -> None:
    assert mask(text) == shown


def test_secrets_of_the_environment_are_hidden_and_other_variables_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "geheimnis-7")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t/key")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "harmless")
    monkeypatch.setenv("SHORT_TOKEN", "dsn")
    content = {"a": ["geheimnis-7", 3, None], "b": {"c": "x s3cr3t/key harmless dsn"}}
    assert masked(content) == {"a": ["***", 3, None], "b": {"c": "x *** harmless dsn"}}


@pytest.mark.parametrize(
    ("text", "written"), [("run a", "`run a`"), ("a `b` c", "``a `b` c``"), ("`` b", "``` `` b ```"), ("", "``")]
)
def test_code_in_markdown_may_hold_backticks(text: str, written: str) -> None:
    assert code_span(text) == written
