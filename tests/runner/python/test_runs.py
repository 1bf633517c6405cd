"""Runs from Python, on a data frame or on named data."""

from __future__ import annotations

from pathlib import Path

import pytest

import runner.python as bertier
from runner.errors import ConfigError
from runner.experiment.outcome import Outcome
from tests.runner.python.test_model import WORDS, frame


def test_the_same_frame_finds_the_same_run(tmp_path: Path) -> None:
    words = [*WORDS.split(), f"paths.output={tmp_path / 'out'}", f"paths.cache={tmp_path / 'cache'}"]
    made = bertier.run(words, frame(), text="note", label="stars", is_quiet=True)
    assert made.score == made.metrics["test/accuracy"] == 1.0 and made.path == tmp_path / "out" / made.id
    assert repr(made) == f"<bertier run {made.id} (ngram notes seed=0): test/accuracy 1.0000>"
    again = bertier.run(words, frame().assign(more=1), text="note", label="stars", is_quiet=True)
    assert again.id == made.id and len(list((tmp_path / "cache" / "frames").iterdir())) == 1
    with pytest.raises(ConfigError, match=r"no column text in the data frame\. Its columns: note, stars"):
        bertier.run(words, frame(), label="stars")


def test_mistakes_failures_and_interruptions_are_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="did you mean"):
        bertier.run("model=ngran data=demo")
    for outcome, expected in (
        (Outcome(1, reason="out of memory"), bertier.RunFailed),
        (Outcome(130), KeyboardInterrupt),
    ):
        monkeypatch.setattr("runner.python.runs.start_run", lambda *_, found=outcome: found)
        with pytest.raises(expected):
            bertier.run("model=ngram data=demo")
