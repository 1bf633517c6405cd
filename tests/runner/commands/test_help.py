"""The help: one text for each verb, all of one form, without the verb's own code; and our version."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from runner.cli import HELP, VERBS, dispatch
from runner.commands.help import asks_for_help, usage
from runner.version import VERSION
from tests.conftest import REPO

HEAVY = {"numpy", "torch", "pandas", "mlflow", "hydra", "yaml", "rich"}


@pytest.mark.parametrize("verb", VERBS)
def test_the_text_of_a_verb_has_synopsis_sentence_example_and_width(verb: str) -> None:
    synopsis, sentence, examples, *_ = usage(verb).split("\n\n")
    lines = usage(verb).splitlines()
    assert synopsis.startswith(f"run {verb}") and f"run {verb}" in examples
    assert re.fullmatch(r"[A-Z].*\.", sentence, re.DOTALL), sentence
    assert max(map(len, lines)) <= 80 and len(lines) <= 40 and not re.search(r" \n|\n\n\n", usage(verb))


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "help"])
def test_the_text_of_a_verb_names_each_of_its_options(verb: str) -> None:
    module = (REPO / f"runner/commands/{verb.replace('-', '_')}.py").read_text(encoding="utf-8")
    options = re.findall(r'"([a-z_]+(?:\.[a-z_]+)?)": "', module) if "parse_options(" in module else []
    flags = re.findall(r'"(--[a-z]+)"', module)
    missing = [name for name in (*options, *flags) if name not in usage(verb) and name != "--help"]
    assert not missing


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["help"]])
def test_the_overview_fits_a_terminal(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == HELP.splitlines() and len(lines) <= 50 and max(map(len, lines)) <= 80


def test_help_is_a_verb_and_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["help", "show"], ["show", "--help"], ["show", "1f0c", "-h"]):
        assert dispatch(words) == 0 and capsys.readouterr().out == usage("show")
    assert dispatch(["help", "shwo"]) == 2 and "no verb 'shwo'" in capsys.readouterr().err
    assert not asks_for_help(["1f0c", "--", "--help"])


def test_the_version_is_ours(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--version"], ["model=dsn", "--version"]):
        assert dispatch(words) == 0 and capsys.readouterr().out == f"bertier {VERSION}\n"


def test_help_waits_for_no_library() -> None:
    code = "import sys; from runner.cli import dispatch; dispatch(['compare', '--help']); dispatch(['best', '-h'])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*sys.modules)"], capture_output=True, text=True, cwd=REPO, check=True
    )
    assert not HEAVY & set(done.stdout.splitlines()[-1].split())
