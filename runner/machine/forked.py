"""Computations in forked copies of this process, whose threads and memory end with them.

Jobs are forked from the process that plans them. If a matrix product or a tokenizer had started threads in it, the
forks would lack those threads.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import pairwise
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Generic, NoReturn, TypeVar

from runner.errors import USER_ERRORS, ConfigError, as_user_error

Item = TypeVar("Item")
T = TypeVar("T")

INTERRUPTED = 130  # the exit code of a copy that was interrupted
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def compute_forked(function: Callable[[], T]) -> T:
    """Return what the function returns, which must pickle.

    A user's mistake or a full disk comes back as ConfigError, any other error as RuntimeError, with its traceback
    printed.
    """
    if sys.platform == "win32":  # a system without fork
        return function()
    copy = _Copy(function, ())
    try:
        return copy.result()
    finally:
        copy.stop()


def map_forked(function: Callable[[Item], T], items: Sequence[Item], processes: int) -> list[T]:
    """Return `function` of each item, in order, computed on that many forked copies; results must pickle.

    Neighbouring items stay together. Errors are as in `compute_forked`; after one, no copy is left running.
    """
    processes = min(processes, len(items) // 2)
    if processes < 2 or sys.platform == "win32":
        return _each(function, items)
    bounds = [len(items) * share // processes for share in range(processes + 1)]
    copies: list[_Copy[list[T]]] = []
    try:
        for first, end in pairwise(bounds):
            copies.append(_Copy(partial(_each, function, items[first:end]), copies))
        return [found for copy in copies for found in copy.result()]
    finally:
        for copy in copies:
            copy.stop()


def _each(function: Callable[[Item], T], items: Sequence[Item]) -> list[T]:
    return [function(item) for item in items]


class _Copy(Generic[T]):
    """A forked copy of this process that computes one thing."""

    def __init__(self, function: Callable[[], T], others: Sequence[_Copy[T]]) -> None:
        """Fork. others: copies forked before, whose results this one must not hold open."""
        self.receiver, sender = Pipe(duplex=False)
        sys.stdout.flush()
        sys.stderr.flush()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # none must arrive before the copy has its own handlers
        self.process: int | None = os.fork()
        if self.process == 0:
            _answer(sender, function, [copy.receiver for copy in (self, *others)])
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        sender.close()

    def result(self) -> T:
        """Wait for the result and return it."""
        try:
            is_done, content = pickle.loads(self.receiver.recv_bytes())  # noqa: S301 from our own fork, through a pipe of ours
        except EOFError:
            if self._wait() == INTERRUPTED:
                raise KeyboardInterrupt from None
            raise RuntimeError("a forked process ended early; see its output above") from None
        self._wait()
        if not is_done:
            raise ConfigError(content)
        result: T = content
        return result

    def stop(self) -> None:
        """End the copy if it is still running."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGTERM)
            self._wait()

    def _wait(self) -> int:
        """Wait until the copy has ended and return its exit code."""
        self.receiver.close()
        if self.process is None:
            return 0
        _, state = os.waitpid(self.process, 0)
        self.process = None
        return os.waitstatus_to_exitcode(state)


def _answer(sender: Connection, function: Callable[[], object], receivers: Sequence[Connection]) -> NoReturn:
    """Compute, send and exit; never returns into the caller's code."""
    code = 1
    try:
        # Ctrl-C reaches all processes of a terminal. The parent passes it on, once, so that a copy can clean up.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        # While anybody could still read the result, a copy whose parent is gone would wait for that forever.
        for receiver in receivers:
            receiver.close()
        try:
            answer = (True, function())
        except USER_ERRORS as error:
            answer = (False, str(error))
        except OSError as error:
            answer = (False, str(as_user_error(error)))
        sender.send_bytes(pickle.dumps(answer))
        code = 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        pass  # the parent is gone: nobody reads the result
    except BaseException:  # the outermost frame of the process
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


@contextmanager
def computed_in_background(function: Callable[[], object]) -> Iterator[None]:
    """Call the function in a forked copy, quietly, while the block runs; the copy ends with the block at the latest.

    Whatever the function returns or raises is lost: it is for filling a cache. Nothing is done on Windows.
    """
    if sys.platform == "win32":  # a system without fork
        yield
        return
    child = os.fork()
    if child == 0:
        _compute_quietly(function)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


def _compute_quietly(function: Callable[[], object]) -> NoReturn:
    """Compute and exit; never returns into the caller's code."""
    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # leaves through `with`, which removes temporary files
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        function()
    finally:
        os._exit(0)
