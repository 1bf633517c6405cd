"""The stored answers of a run: which split, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.mistakes.answered import read_answered
from tests.runner.mistakes.cases import write_case


def test_answers_are_read_with_their_confidence(tmp_path: Path) -> None:
    answered = write_case(tmp_path)
    assert answered.split == "test" and (~answered.is_right).sum() == 12
    assert answered.confidence_word == "score"  # nothing was calibrated
    assert 0.4 < answered.confidence.min() < answered.confidence.max() < 0.8


def test_what_has_no_answers_is_refused(tmp_path: Path) -> None:
    record = write_case(tmp_path).record
    folder = tmp_path / "out" / record.identity
    with pytest.raises(ConfigError, match=r"split=dev: run 0123456789 has answers to test. Try: split=test"):
        read_answered(record, folder, "dev")
    with pytest.raises(ConfigError, match="is failed"):
        read_answered(dataclasses.replace(record, status="failed"), folder)
    for task in ("mlm", "of the future"):
        data = dataclasses.replace(record.data, task=task)
        with pytest.raises(
            ConfigError, match=r"works for classes, sets of labels, numbers, tags of words, spans and rankings, not"
        ):
            read_answered(dataclasses.replace(record, data=data), folder)
    with pytest.raises(ConfigError, match=r"has no stored answers to test. Make them: run model=dsn .* force=true"):
        read_answered(record, tmp_path)
