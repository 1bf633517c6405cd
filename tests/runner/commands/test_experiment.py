"""The words of experiments: checked before Hydra sees them, ordered as it wants them."""

from __future__ import annotations

import pytest

from runner import cli
from runner.commands import experiment
from runner.commands.experiment import ExperimentFunction, split_flags
from runner.experiment.outcome import Outcome
from runner.sweep.job_function import JobFunction


def test_flags_keep_their_values_and_their_order() -> None:
    words = ["model=dsn", "--cfg", "job", "seed=1", "-m", "-p", "model"]
    assert split_flags(words) == (["--cfg", "job", "-m", "-p", "model"], ["model=dsn", "seed=1"])


@pytest.mark.parametrize(
    ("words", "codes", "expected"),
    [(["seed=1"], [1], 1), (["seed=1"], [], 0), (["-m", "seed=1,2"], [0, 2], 1), (["-m", "seed=1,2"], [130, 1], 130)],
)
def test_the_exit_code_is_the_worst_of_the_runs(
    words: list[str], codes: list[int], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(_words: list[str], function: JobFunction) -> int:
        function.collect([Outcome(code) for code in codes])
        return 0

    monkeypatch.setattr(experiment, "_call_hydra", call)
    assert experiment.main(words) == expected


def test_a_mistake_starts_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(experiment, "_call_hydra", lambda *_: pytest.fail("Hydra was called"))
    assert experiment.main(["modle=dsn"]) == 2
    assert "did you mean model" in capsys.readouterr().err


def test_each_command_collects_its_own_outcomes() -> None:
    first, second = ExperimentFunction(), ExperimentFunction()
    first.collect([Outcome(0)])
    assert len(first.outcomes) == 1 and second.outcomes == []


@pytest.mark.parametrize("word", ["", "modell", "shwo"])
def test_a_word_that_is_no_verb_is_refused(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.dispatch([word]) == 2
    assert f"no verb {word!r}" in capsys.readouterr().err
