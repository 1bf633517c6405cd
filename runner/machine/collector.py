"""Python's garbage collector, paused where many objects are made and little garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """Pause garbage collection inside: traversing all objects takes a tenth to a sixth of the time of checking, reading
    and comparing.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
