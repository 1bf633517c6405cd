from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.machine.forked import compute_forked, map_forked


def _raise(error: BaseException) -> None:
    raise error


def test_the_answer_comes_back_from_another_process() -> None:
    here = os.getpid()
    assert compute_forked(lambda: (os.getpid() != here, {"a": 1})) == (True, {"a": 1})


def test_a_mistake_of_the_user_comes_back_as_one() -> None:
    with pytest.raises(ConfigError, match="no such column"):
        compute_forked(lambda: _raise(ConfigError("no such column")))
    with pytest.raises(ConfigError, match="Free some space"):
        compute_forked(lambda: _raise(OSError(errno.ENOSPC, "Disk full")))


def test_any_other_error_is_printed_there(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="see its output above"):
        compute_forked(lambda: _raise(ZeroDivisionError("x")))
    assert "ZeroDivisionError: x" in capfd.readouterr().err


def test_an_interruption_is_one_here_too() -> None:
    with pytest.raises(KeyboardInterrupt):
        compute_forked(lambda: _raise(KeyboardInterrupt()))


def test_items_are_computed_on_several_copies_and_come_back_in_order() -> None:
    found = map_forked(lambda number: (number * number, os.getpid()), range(11), 4)
    assert [square for square, _ in found] == [number * number for number in range(11)]
    assert len({process for _, process in found}) == 4 and os.getpid() not in {process for _, process in found}


def test_a_mistake_in_one_item_comes_back_as_one_and_ends_the_other_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    copies, fork = list[int](), os.fork

    def counted_fork() -> int:
        copies.append(fork())
        return copies[-1]

    def fill_the_pipe(number: int) -> str:
        if number == 0:
            raise ConfigError("no such column")
        return "x" * 1_000_000

    monkeypatch.setattr(os, "fork", counted_fork)
    with pytest.raises(ConfigError, match="no such column"):
        map_forked(fill_the_pipe, range(6), 3)
    assert len(copies) == 3
    for process in copies:
        with pytest.raises(ChildProcessError):  # it has ended, and its exit code has been read
            os.waitpid(process, os.WNOHANG)


def test_a_copy_ends_after_its_parent_has_been_killed() -> None:
    program = """if True:
        import os, signal, time
        from runner.machine.forked import map_forked
        parent = os.getpid()

        def function(number):
            if number == 0:
                os.kill(parent, signal.SIGKILL)
            return "x" * 1_000_000  # more than a pipe holds

        map_forked(function, range(6), 3)
    """
    # The copies share the output, which is at its end only when all of them are.
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=False)
    assert ended.returncode == -9 and ended.stderr == b""


def test_ctrl_c_in_a_terminal_lets_a_copy_clean_up(tmp_path: Path) -> None:
    program = """if True:
        import os, sys, time
        from pathlib import Path
        from runner.machine.forked import compute_forked
        folder = Path(sys.argv[1])

        def function():
            try:
                (folder / "begun").touch()
                time.sleep(60)
            finally:
                time.sleep(0.5)  # within which a second signal would arrive
                (folder / "clean").touch()

        compute_forked(function)
    """
    words = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, start_new_session=True) as parent:
        while not (tmp_path / "begun").exists() and parent.poll() is None:
            time.sleep(0.01)
        os.killpg(parent.pid, signal.SIGINT)
        _, said = parent.communicate(timeout=60)
    assert b"KeyboardInterrupt" in said and (tmp_path / "clean").exists()
