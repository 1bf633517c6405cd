"""The base class of the sweepers that search: settings of a run, and how a mistake of the user ends a search."""

from __future__ import annotations

import pytest
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra

from data.errors import DataError
from runner.config.compose import compose
from runner.errors import ConfigError
from runner.experiment.outcome import Outcome
from runner.sweep.job_function import JobFunction
from runner.sweep.search_sweeper import SearchSweeper


class Function(JobFunction):
    def __call__(self, *_: object) -> Outcome:
        raise AssertionError("nothing is run")


class Sweeper(SearchSweeper):
    def __init__(self, found: Exception | int) -> None:
        self.found = found

    def search(self, arguments: list[str]) -> int:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def slots(self) -> int:
        return 1


@pytest.mark.parametrize("error", [ConfigError("no such key\nnor this"), DataError("no such key\nnor this")])
def test_the_users_mistakes_are_printed_kept_and_exit_with_2(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    sweeper = Sweeper(error)
    sweeper.function = Function()
    with pytest.raises(SystemExit) as ended:
        sweeper.sweep([])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "run: 2 mistakes\n  1. no such key\n  2. nor this\n"
    assert sweeper.function.problems == ["no such key", "nor this"]


def test_the_code_of_a_search_is_the_commands() -> None:
    Sweeper(0).sweep([])
    with pytest.raises(SystemExit) as ended:
        Sweeper(1).sweep([])
    assert ended.value.code == 1


def test_settings_are_loaded_as_their_task_adapts_them() -> None:
    sweeper, words = Sweeper(0), ["task=rank", "data=demo", "data.demo_rows=77"]
    sweeper.config = compose(words, hydra=True)
    with initialize_config_module("conf", version_base="1.3"):
        sweeper.loader = GlobalHydra.instance().config_loader()
        settings = sweeper.load(words)
        assert "hydra" not in sweeper.compose(words)
    assert settings.data.demo_rows == 77
    assert settings.data.metrics == []  # the list in the YAML is for the other tasks of the demo


def test_a_folder_that_cannot_be_made_ends_a_search_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    sweeper = Sweeper(FileExistsError(17, "File exists", "out"))
    sweeper.function = Function()
    with pytest.raises(SystemExit) as ended:
        sweeper.sweep([])
    assert ended.value.code == 2 and "out: File exists. Try another path" in capsys.readouterr().err
