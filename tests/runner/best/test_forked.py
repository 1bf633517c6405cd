from __future__ import annotations

import os

import pytest

from runner.best.forked import compute_forked
from runner.errors import ConfigError


def _raise(error: BaseException) -> None:
    raise error


def test_the_answer_comes_back_from_another_process() -> None:
    here = os.getpid()
    assert compute_forked(lambda: (os.getpid() != here, {"a": 1})) == (True, {"a": 1})


def test_a_mistake_of_the_user_comes_back_as_one() -> None:
    with pytest.raises(ConfigError, match="no such column"):
        compute_forked(lambda: _raise(ConfigError("no such column")))


def test_any_other_error_is_printed_there(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="see its output above"):
        compute_forked(lambda: _raise(ZeroDivisionError("x")))
    assert "ZeroDivisionError: x" in capfd.readouterr().err


def test_an_interruption_is_one_here_too() -> None:
    with pytest.raises(KeyboardInterrupt):
        compute_forked(lambda: _raise(KeyboardInterrupt()))
