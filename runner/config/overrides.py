"""One word of a command: parsed by Hydra's grammar, and the values that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.quoting import quoted_setting
from runner.config.bare_words import no_setting
from runner.config.compose import groups, parsed
from runner.errors import ConfigError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


def parse_override(word: str) -> tuple[Override | None, str | None]:
    """Return one word of a command as an override, or one line that says why it is not one, with the cure."""
    from hydra.errors import HydraException

    try:
        return parsed(word), None
    except HydraException as error:
        key, equals, value = word.partition("=")
        if not equals:
            return None, no_setting(word)
        reason = str(error).splitlines()[0]
        parts = [part for part in value.split(",") if part.strip()]
        is_gap = len(parts) < value.count(",") + 1 and not set(value) & set("[]{}()'\"")
        cure = (
            f"Try: {key}={','.join(parts)}"
            if is_gap
            else f"Quote special characters, try: {quoted_setting(key, value)}"
        )
        return None, f"{word!r} cannot be read as key=value: {reason}. {cure}"


def values_of(override: Override) -> list[object]:
    """Return the values one override stands for: one, each of a sweep, or the ends of an interval."""
    from hydra.core.override_parser.types import ChoiceSweep, Glob, IntervalSweep

    value, group = override.value(), override.key_or_group
    if isinstance(value, Glob):
        if group not in groups():
            raise ConfigError(
                f"{override.input_line}: glob picks among the choices of a group, but {group} is not one. Try a list"
            )
        return list(value.filter(groups()[group]))
    if isinstance(value, IntervalSweep):
        return [value.start, value.end]
    if isinstance(value, ChoiceSweep):
        return list(override.sweep_iterator())
    if override.is_sweep_override():
        return list(override.sweep_string_iterator())
    return [value]
