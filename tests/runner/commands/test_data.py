"""`run data` as a command: its words, its two forms, and its mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.cli import dispatch
from runner.errors import ConfigError


def words(tmp_path: Path, *more: str) -> list[str]:
    return ["data", "data=demo", "data.demo_rows=100", f"paths.cache={tmp_path}", *more]


def test_the_report_is_text_or_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(words(tmp_path)) == 0
    assert capsys.readouterr().out.startswith("data=demo\n")
    assert dispatch(words(tmp_path, "format=json", "near=true")) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["splits"]["train"] == 100 and found["near"]["is_whole"] is True
    assert found["advice"]["command"].startswith("run model=dsn data=demo data.demo_rows=100")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("format=xml", "run: run data: format=xml: expected text or json. Try: format=json"),
        ("near=maybe", "run: run data: near=maybe: expected true or false. Try: near=true"),
        (
            "reviews.csv",
            "run: run data: 'reviews.csv' is not a setting, which is written key=value. "
            "Try: data=files data.path=reviews.csv",
        ),
        ("data.txt=a", "data.txt"),
    ],
)
def test_a_mistake_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str, message: str) -> None:
    assert dispatch(words(tmp_path, word)) == 2
    printed = capsys.readouterr()
    assert message in printed.err and not printed.out


def test_help_and_no_words_print_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["data"]) == dispatch(["data", "--help"]) == 0
    assert "near=true" in capsys.readouterr().out


def test_a_search_is_offered_with_the_data_that_an_experiments_file_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["data", "experiment=demo", f"paths.cache={tmp_path}", "format=json"]) == 0
    advice = json.loads(capsys.readouterr().out)["advice"]
    assert advice["command"].startswith("run experiment=demo ") and advice["search"] == "run best data=demo max_kb=1000"


def test_no_search_is_offered_where_a_files_data_cannot_be_written_as_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(overrides: list[str], shared: tuple[str, ...]) -> list[str]:
        raise ConfigError("keys that are not ASCII")

    monkeypatch.setattr("runner.commands.data.words_of_files", refused)
    assert dispatch(["data", "experiment=demo", f"paths.cache={tmp_path}", "format=json"]) == 0
    advice = json.loads(capsys.readouterr().out)["advice"]
    assert advice["command"].startswith("run experiment=demo ") and advice["search"] == ""
