"""Tools that all fuzzers share: the number of inputs, the watch over a command, and the damage to bytes.

FUZZ=0.01 make fuzz       a hundredth of the inputs
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

SHARE = float(os.environ.get("FUZZ", "1"))  # of the full number of inputs
PATIENCE_S = 10  # of CPU time, which does not depend on what else runs here: what takes longer hangs
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # what a terminal may obey


def many(count: int) -> Callable[[Any], Any]:
    """Return settings for a test on `count` inputs at full size, the same in every run."""
    return settings(
        max_examples=max(10, round(count * SHARE)), deadline=None, database=None, derandomize=True, print_blob=False,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
    )  # fmt: skip


class Hang(BaseException):
    """An input took longer than PATIENCE_S; no `except Exception` of the program swallows it."""


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """Raise Hang in the body if it takes too long."""

    def stop(_signal: int, _frame: object) -> None:
        raise Hang

    timers = ((signal.ITIMER_PROF, signal.SIGPROF, PATIENCE_S), (signal.ITIMER_REAL, signal.SIGALRM, 6 * PATIENCE_S))
    for timer, number, seconds in timers:
        signal.signal(number, stop)
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for timer, number, _ in timers:
            signal.setitimer(timer, 0)
            signal.signal(number, signal.SIG_IGN)


def command(*words: str) -> tuple[int, str, str]:
    """`run <words>` within this process: exit code, output and errors; any exception but its exit is the test's."""
    from runner import cli

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    argv, sys.argv = sys.argv, ["run", *words]
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), patience():
            cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.argv = argv
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return code, out.getvalue(), err.getvalue()


def check_manners(code: int, out: str, err: str) -> None:
    """Check the rules that hold for every command, whatever its input."""
    said = out + err
    assert "Traceback (most recent" not in said, said
    assert code in (0, 1, 2), (code, said)
    assert not CONTROL.search(said), repr(said)
    if code == 2:
        assert err.startswith("run") and has_cure(err), err


def has_cure(message: str) -> bool:
    """Does a message say what to do next?"""
    cures = (
        "Try", "Fix ", "Choose", "Choices", "did you mean", "Quote", "Expected", "expected", "Go on", "See ",
        "Make ", "Leave it ", "leave the", "Remove", "Add ", "Finish it", "Rename", "Download it", "Name ",
        "Convert", "needed", "Runs", "Get ", "Train it", "Its options",
    )  # fmt: skip
    return any(cure in message for cure in cures)


def files_in(folder: Path) -> set[Path]:
    """Return every file below a folder."""
    return {path for path in folder.rglob("*") if path.is_file()}


@st.composite
def damaged(draw: st.DrawFn, whole: bytes, words: list[bytes] | None = None) -> bytes:
    """Draw `whole` after one to four accidents: cut, bytes changed, removed, doubled or slipped in."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.sampled_from([0, 1, 2, 8, 64, len(content)])))
        kind = draw(st.sampled_from(["cut", "change", "remove", "double", "insert"]))
        if kind == "cut":
            del content[start:]
        elif kind == "change" and content:
            content[start % len(content)] = draw(st.integers(0, 255))
        elif kind == "remove":
            del content[start:end]
        elif kind == "double":
            content[start:start] = content[start:end]
        else:
            content[start:start] = draw(st.sampled_from(words or [b"\x00"]) | st.binary(max_size=8))
    return bytes(content)
