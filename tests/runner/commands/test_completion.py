"""Completion: the words that may follow, for each place in a command, and scripts that the shells accept."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runner.cli import VERBS, dispatch
from runner.commands.completion import SHELLS, complete
from tests.conftest import REPO

CASES = {
    "verbs": ("run sho", ["show"]),
    "choices": ("run model=bert-m", ["model=bert-medium", "model=bert-mini"]),
    "a nested choice": ("run model.readout=sca", ["model.readout=scalar_mix"]),
    "one of several": ("run -m optimizer=adamw,s", ["optimizer=adamw,sgd"]),
    "a stage": ("run compression=[int8,int8_s", ["compression=[int8,int8_static"]),
    "keys of the choice": ("run model=bermo model.readout.mi", ["model.readout.mixed="]),
    "a part of a key": ("run optimizer.w", ["optimizer.weight_decay="]),
    "values": ("run train.precision=", ["train.precision=bf16", "train.precision=fp32"]),
    "true or false": ("run train.keep_best=", ["train.keep_best=false", "train.keep_best=true"]),
    "a default": ("run seed=", ["seed=0"]),
    "a sweep": ("run -m +sweep=model_s", ["+sweep=model_sizes"]),
    "ids": ("run show 1f", ["1f0c000000"]),
    "the id of a stage": ("run compression=[int8] from=1", ["from=1f0c000000"]),
    "options of a verb": ("run predict 1f engine=onnx", ["engine=onnx", "engine=onnx-int8"]),
    "flags of a verb": ("run compare --b", ["--baseline"]),
    "the settings of a search": ("run best data=im", ["data=imdb"]),
    "its own words": ("run best data=imdb max_k", ["max_kb="]),
    "the runs of two": ("run diff 1f0c 2", ["2b00000000"]),
    "a sweep by name": ("run show model_s", ["model_sizes"]),
    "recorded runs": ("run list ru", ["runs"]),
    "a file": ("run predict 1f0c rev", ["reviews.csv"]),
    "groups": ("run list opt", ["optimizer"]),
    "help": ("run help expo", ["export"]),
    "files": ("run data=files data.path=rev", ["data.path=reviews.csv"]),
    "a folder": ("run --config-dir ou", ["outputs/"]),
    "flags": ("run --hyd", ["--hydra-help"]),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a data file, a run and what is none."""
    (tmp_path / "reviews.csv").touch()
    for name in ("1f0c000000", "2b00000000"):
        (tmp_path / "outputs" / name).mkdir(parents=True)
        (tmp_path / "outputs" / name / "record.json").touch()
    (tmp_path / "outputs" / "1f_no_run").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("line", "expected"), CASES.values(), ids=CASES)
def test_completion_offers_the_words_that_may_follow(line: str, expected: list[str], place: Path) -> None:
    assert complete(line, VERBS) == expected


def test_an_empty_word_offers_verbs_and_groups(place: Path) -> None:
    found = complete("run ", VERBS)
    assert set(VERBS) <= set(found) and {"model=", "optimizer.", "seed="} <= set(found)
    assert "latest" in complete("run show ", VERBS) and "latest" not in complete("run show 1f0c ", VERBS)
    assert not any(word.startswith("-") for word in found)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_accepts_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["-sc", f"install={shell}"]) == 0
    script = capsys.readouterr().out
    assert f"query={shell}" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True, capture_output=True)


def test_bash_completes_with_the_script(place: Path) -> None:
    """The function of the script, called as bash calls it."""
    run = f'run() {{ PYTHONPATH={REPO} {sys.executable} -m runner.cli "$@"; }}'
    ask = 'COMP_LINE="run model=bert-ti"; COMP_POINT=${#COMP_LINE}; _run_words run; printf "%s|" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", f"{run}\n{SHELLS['bash']}\n{ask}"], capture_output=True, text=True, check=True)
    assert done.stdout == "model=bert-tiny |"


@pytest.mark.parametrize("word", ["install=bsh", "install", "quary=bash"])
def test_a_shell_that_is_unknown_is_refused(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["-sc", word]) == 2
    assert "Try: run -sc " in capsys.readouterr().err


def test_an_answer_waits_for_no_library() -> None:
    code = "import sys; from runner.cli import VERBS; from runner.commands.completion import complete"
    ask = "complete('run model=dsn optimizer.name=', VERBS); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; {ask}"], capture_output=True, text=True, cwd=REPO, check=True
    )
    assert not {"numpy", "torch", "hydra", "omegaconf", "yaml", "rich"} & set(done.stdout.split())
