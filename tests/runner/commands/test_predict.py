"""Which words of `run predict` are files and which are texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands.predict import DEFAULTS, refuse_unknown_options, table_of
from runner.errors import ConfigError


@pytest.mark.parametrize("name", ["missing.csv", "missing.csv.gz", "missing.xlsx", "Missing.XLS", "missing.zip"])
def test_a_word_that_is_named_like_a_file_is_no_text(name: str) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        table_of("abc", [name], 0, DEFAULTS)


@pytest.mark.parametrize("text", ["a film", "see report.pdf", "Where is the .zip", "open sheet.xlsx", "and/or"])
def test_other_words_are_texts(text: str) -> None:
    assert table_of("abc", [text], 0, DEFAULTS) == ""


def test_a_file_of_an_unknown_format_is_refused_with_the_command_for_its_name_as_a_text(tmp_path: Path) -> None:
    path = tmp_path / "my notes.dat"
    path.write_text("a text", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        table_of("abc", [str(path)], 0, DEFAULTS)
    assert str(refused.value).endswith(f"or, for its name as a text: run predict abc 'text={path}'")
    assert table_of("abc", [str(path)], 0, DEFAULTS | {"input": "lines"}) == str(path)


def test_the_suggested_command_finds_the_model(tmp_path: Path) -> None:
    chosen = DEFAULTS | {"paths.output": str(tmp_path / "my runs")}
    with pytest.raises(ConfigError) as refused:
        table_of("my bundle", ["a b.csv"], 0, chosen)
    assert str(refused.value).endswith(f"run predict 'my bundle' 'text=a b.csv' 'paths.output={tmp_path}/my runs'")


@pytest.mark.parametrize(
    ("word", "cure"),
    [
        ("formt=x", r"'formt=x' is not one of its options \(input, .*\)\. Try: run predict --help"),
        ("reect=0.05", "Try: reject=0.05"),
        ("textt=body text", "Try: 'text=body text'"),
    ],
)
def test_a_misspelled_option_is_no_text(word: str, cure: str) -> None:
    with pytest.raises(ConfigError, match=rf"{cure}; a text that begins like this goes after --$"):
        refuse_unknown_options(["a text", word])


def test_a_text_with_an_equals_sign_and_a_file_of_such_a_name_are_no_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a=b.csv").touch()
    refuse_unknown_options(["x=5 holds", "2=1+1", "if a text=b", "a=b.csv", "-"])
