"""The words of a verb."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli import run_verb
from runner.commands.options import output_folder, parse_options, split_run, true_or_false, whole_number
from runner.errors import ConfigError


def test_words_replace_defaults() -> None:
    assert parse_options("show", ["port=1"], port="0", host="h") == {"port": "1", "host": "h"}


@pytest.mark.parametrize(
    ("word", "cure"), [("prot=1", "port=1"), ("port", "run serve --help"), ("size=1", "run serve --help")]
)
def test_an_unknown_option_is_refused_with_the_known_ones(word: str, cure: str) -> None:
    with pytest.raises(ConfigError, match=rf"not one of its options \(port=0\)\. Try: {cure}$"):
        parse_options("serve", [word], port="0")


def test_the_first_word_is_the_run() -> None:
    assert split_run("export", ["1f0c", "int8=true"]) == ("1f0c", ["int8=true"])
    for words in ([], ["int8=true"]):
        with pytest.raises(ConfigError, match="Try: run export <id>"):
            split_run("export", words)


def test_a_folder_may_have_the_form_of_an_option(tmp_path: Path) -> None:
    (folder := tmp_path / "lr=0.1").mkdir()
    assert split_run("predict", [str(folder), "a text"]) == (str(folder), ["a text"])


def test_values_of_another_kind_are_refused() -> None:
    assert true_or_false("export", "int8", "true") and not true_or_false("export", "int8", "false")
    assert whole_number("serve", "port", "80", 0, 100) == 80
    with pytest.raises(ConfigError, match="true or false"):
        true_or_false("export", "int8", "yes")
    for text in ("101", "-1", "x", "1.5", ""):
        with pytest.raises(ConfigError, match="whole number, 0 to 100"):
            whole_number("serve", "port", text, 0, 100)


def test_the_output_folder_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert output_folder("outputs") == tmp_path / "outputs"
    with pytest.raises(ConfigError, match="no such user"):
        output_folder("~nobody_of_this_name/outputs")


def test_a_flag_is_not_looked_up_as_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("show", "explain", "errors", "export", "push", "serve", "predict"):
        assert run_verb(verb, ["--hlep"]) == 2
        assert capsys.readouterr().err == (
            f"run: run {verb}: no flag --hlep; its options are written key=value. Try: run {verb} --help\n"
        )
