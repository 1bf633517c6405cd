"""`run best`: its words, and the command that they are short for."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli import dispatch
from runner.commands.best import command_of, search
from runner.errors import ConfigError


def test_the_words_of_the_budget_become_settings_of_the_sweeper() -> None:
    words = ["data=files", "data.path=a b.csv", "max_kb=1000", "max_ms=1.5", "jobs=2", "seed=3", "--plan"]
    assert command_of(words) == [
        "-m", "hydra/sweeper=best", "hydra.sweeper.max_kb=1000", "hydra.sweeper.jobs=2",
        "hydra.sweeper.plan_only=true", "hydra.sweeper.max_us=1500", "sweep.jobs=2", "data=files", "data.path=a b.csv",
        "seed=3",
    ]  # fmt: skip


def test_null_is_no_cap_in_either_unit() -> None:
    assert "hydra.sweeper.max_us=null" in command_of(["data=demo", "max_ms=null"])
    assert "hydra.sweeper.max_us=null" in command_of(["data=demo", "max_us=null"])


def test_values_with_characters_of_the_grammar_are_quoted() -> None:
    assert 'hydra.sweeper.unlabelled="more (2).csv"' in command_of(["data=sst2", "unlabelled=more (2).csv"])


@pytest.mark.parametrize(("words", "expected"), [
    (["max_kb=large"], "max_kb=large: expected a number. Try: max_kb=1000"),
    (["max_kb="], "max_kb= has no value"),
    (["max_kb=0"], "max_kb=0: out of range. Expected more than 0 and at most 1000000000. Try: max_kb=1000"),
    (["max_kb=1e308"], "max_kb=1e308: out of range"),
    (["max_ms=-1"], "max_ms=-1: out of range. Expected more than 0. Try: max_ms=1"),
    (["max_us=1", "max_ms=1"], "the same cap"),
    (["steps=1.5"], "steps=1.5: expected a number. Try: steps=12"),
    (["minutes=5", "steps=6"], "by a clock or by its steps"),
    (["prefer=tiny"], "small"),
    (["max_kbs=1"], "did you mean max_kb?"),
    (["--plna"], "did you mean --plan?"),
    (["model=dsn"], "model=dsn: the search decides this"),
    (["train.epochs=3"], "the search decides this"),
    (["compression=[int8]"], "the search decides this"),
    (["optimizer.lr=1"], "the search decides this"),
    (["force=true"], "the search decides this"),
    (["nonsense=1"], "no such key"),
    (["reviews.csv"], "Try: data=files data.path=reviews.csv"),
    (["max_kb"], "Try: max_kb=..."),
    (["--resume"], "no flag --resume; settings are written key=value. Try: run best --help"),
])  # fmt: skip
def test_a_wrong_word_is_refused_with_its_cure(words: list[str], expected: str) -> None:
    with pytest.raises(ConfigError) as refused:
        command_of(["data=demo", *words])
    assert expected in str(refused.value)


def test_data_must_be_named() -> None:
    with pytest.raises(ConfigError, match=r"^run best: for which data\? Try: data=files data\.path=reviews\.csv, or"):
        command_of(["max_kb=100"])


@pytest.mark.parametrize("words", [["data=esc10"], ["data=files", "data.path=clips.csv", "data.audio=path"]])
def test_sounds_are_refused(words: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"compares models of texts, but these are sounds\. Try: run -m model="):
        command_of([*words, "max_kb=12"])


def test_all_mistakes_are_told_at_once_and_nothing_is_started(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["best", "data=demo", "max_kb=x", "model=dsn", "steps=0"]) == 2
    told = capsys.readouterr().err
    assert "3 mistakes" in told and "max_kb=x" in told and "model=dsn" in told and "steps=0" in told


def test_several_values_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["best", "data=demo", "max_kb=100", "steps=1", "seed=0,1"]) == 2
    assert "seed=0,1: `run best` searches for one seed and one dataset" in capsys.readouterr().err


@pytest.mark.parametrize("launcher", ["ray", "submitit_slurm"])
def test_a_cap_on_time_is_refused_where_runs_are_timed_elsewhere(
    launcher: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch(["best", "data=demo", "max_ms=1", f"hydra/launcher={launcher}"]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert f"max_us=1000 is a time on this machine, but hydra/launcher={launcher} may time its runs on others" in told


def test_the_help_names_every_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch(["best", "--help"]) == 0
    told = capsys.readouterr().out
    assert all(word in told for word in ("max_kb", "max_us", "minutes", "steps", "jobs", "goal", "at_least", "--plan"))


@pytest.mark.parametrize(("word", "expected"), [
    ("data.nonsense=1", "nonsense"),  # found before Hydra starts
    ("goal=nonsense", "goal=nonsense is not a score of classification"),  # found while planning
    ("task=mlm", "does not search for a masked language model"),  # not: the default model cannot learn it
])  # fmt: skip
def test_a_mistake_is_an_exception_with_its_message_in_python(word: str, expected: str, tmp_path: Path) -> None:
    paths = [f"paths.output={tmp_path}/out", f"paths.cache={tmp_path}/cache"]
    with pytest.raises(ConfigError, match=expected):
        search(["data=demo", "data.demo_rows=60", "steps=1", "tracker=none", word, *paths])


def test_rankings_of_the_built_in_data_are_planned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [f"paths.output={tmp_path}/out", f"paths.cache={tmp_path}/cache"]
    assert dispatch(["best", "data=demo", "task=rank", "data.demo_rows=2600", "steps=3", "--plan", *paths]) == 0
    assert "ndcg@10" in capsys.readouterr().out
