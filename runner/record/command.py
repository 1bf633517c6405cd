"""The command line of a run, as recorded and as typed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from runner.record.identity import FILES, affects_identity
from runner.record.record import RunRecord


def command_line(record: RunRecord, *more: str) -> str:
    """Return the command that repeats a run, quoted for a shell. more: further words."""
    return shlex.join(["run", *recorded_words(record), *more])


def make_model(record: RunRecord) -> str:
    """Return the command that helps with a run without a model: finish it, or repeat it if it is done.

    The result of a verb never has a model; the models that answered have runs of their own.
    """
    if is_of_verb(record):
        named = (record.setting(key) for key in ("zero_shot.from", "cascade.large"))
        model = next(filter(None, named), "the id of the model that answered")
        return f"It holds answers, made by run {record.overrides[0]}, which trains no model. Try: {model}"
    if record.status != "done":
        return f"Finish it: {command_line(record)}"
    return f"Make it again: {command_line(record, 'force=true')}"


def recorded_words(record: RunRecord) -> list[str]:
    """Return the words of a run's command, as a program receives them; older records of a verb quote them."""
    words = record.overrides
    if not is_of_verb(record):
        return words
    return [part for word in words for part in (shlex.split(word) if word.startswith("'") else [word])]


def is_of_verb(record: RunRecord) -> bool:
    """Was the run made by a verb, such as `run zero-shot`, and not by settings alone?"""
    return bool(record.overrides) and "=" not in record.overrides[0]


def essential(overrides: Sequence[str]) -> list[str]:
    """Return the overrides that say what is computed, and from which files."""
    return [word for word in overrides if _is_essential(word.lstrip("+~").partition("=")[0])]


def _is_essential(key: str) -> bool:
    """Does a setting or group of this name say what is computed, rather than how and where?"""
    is_ours = key.split(".")[0] not in ("sweep", "hydra") and not key.startswith("hydra/")
    return is_ours and (affects_identity(key) or key in FILES)
