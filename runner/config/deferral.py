"""Defers values whose keys exist only with a choice that differs between jobs.

Hydra composes a multirun's command once before it splits it into jobs, without the swept keys but with every other
value. In `run -m model=bert-tiny,bert-mini model.pretrained=null`, it would set model.pretrained of the default model,
which has no such key. Written as a sweep over the same value twice, the value is set in the jobs only, and duplicate
jobs are merged.
"""

from __future__ import annotations

from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from runner.config.compose import groups, parsed
from runner.config.plugins import named_sweeps, sweep_overrides

SWEEP = "+sweep="


def defer_values(words: list[str]) -> list[str]:
    """Return the words of a multirun that has been checked, `key=value` as `key=value,value` for such values."""
    named = [word.removeprefix(SWEEP) for word in words if word.startswith(SWEEP)]
    own = [word for name in named if name in named_sweeps() for word in sweep_overrides(name)]
    read = {word: found for word in [*own, *words] if (found := _parse(word))}
    swept = {found.key_or_group for word, found in read.items() if word in own or found.is_sweep_override()}
    prefixes = tuple(f"{group.replace('/', '.')}." for group in swept & groups().keys())
    waiting = {word for word in words if prefixes and _waits(read.get(word), prefixes)}
    return [f"{word},{word.partition('=')[2]}" if word in waiting else word for word in words]


def _waits(found: Override | None, prefixes: tuple[str, ...]) -> bool:
    if found is None or found.is_sweep_override() or found.is_delete() or found.is_add():
        return False
    return found.key_or_group.replace("/", ".").startswith(prefixes)


def typed_override(word: str) -> str:
    """Return the word as it was typed: `key=value` for `key=value,value`."""
    key, _, value = word.partition("=")
    once = value[: len(value) // 2]
    return f"{key}={once}" if value == f"{once},{once}" else word


def _parse(word: str) -> Override | None:
    """Return the override in a word; None for any other word, such as a flag."""
    if word.startswith("-"):
        return None
    try:
        return parsed(word)
    except HydraException:
        return None
