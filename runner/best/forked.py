"""Computations in forked copies of this process, whose threads and memory end with them.

Jobs are forked from the searching process. If a matrix product or a tokenizer had started threads in it, the forks
would lack those threads.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import NoReturn, TypeVar

from runner.errors import USER_ERRORS, ConfigError

T = TypeVar("T")


def compute_forked(function: Callable[[], T]) -> T:
    """Return what the function returns, which must pickle.

    A user's mistake comes back as ConfigError, any other error as RuntimeError, with its traceback printed.
    """
    if sys.platform == "win32":  # a system without fork
        return function()
    receiver, sender = Pipe(duplex=False)
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        receiver.close()
        _answer(sender, function)
    sender.close()
    try:
        is_done, content = pickle.loads(receiver.recv_bytes())  # noqa: S301 from our own fork, through a pipe of ours
    except EOFError:
        raise RuntimeError("a process of the search ended early; see its output above") from None
    finally:
        receiver.close()
        _, state = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(state) == INTERRUPTED:
            raise KeyboardInterrupt
    if not is_done:
        raise ConfigError(content)
    result: T = content
    return result


INTERRUPTED = 130


def _answer(sender: Connection, function: Callable[[], object]) -> NoReturn:
    """Compute, send and exit; never returns into the caller's code."""
    code = 0
    try:
        try:
            answer = (True, function())
        except USER_ERRORS as error:
            answer = (False, str(error))
        sender.send_bytes(pickle.dumps(answer))
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BaseException:
        traceback.print_exc()
        code = 1
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
