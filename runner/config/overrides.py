"""One word of a command: parsed by Hydra's grammar, and the values that it stands for."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from data.quoting import hydra_setting, quoted_setting
from runner.config.bare_words import no_setting
from runner.config.compose import groups, parsed
from runner.errors import ConfigError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


LISTS = ("compression", "experiment")  # groups of which a run may have several choices


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
        cure = f"Try: {key}={','.join(parts)}" if is_gap else f"Quote special characters, try: {_quoted(key, value)}"
        return None, f"{word!r} cannot be read as key=value: {reason}. {cure}"


def _quoted(key: str, value: str) -> str:
    """Return a setting whose value is quoted for Hydra and for the shell; in a list of plain items, each item."""
    items = value.strip()[1:-1]
    if value.strip() != f"[{items}]" or set(items) & set("[]{}()'\""):
        return quoted_setting(key, value)
    return shlex.quote(hydra_setting(key, [item.strip() for item in items.split(",")]))


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
        return [override._convert_value(each) for each in override.sweep_iterator()]  # as `value()` takes quotes off
    if override.is_sweep_override():
        return list(override.sweep_string_iterator())
    return [value]


def problem_of_choice(override: Override) -> str | None:
    """Return the mistake in how a choice is written (not in what is chosen), with the cure; None if there is none."""
    from hydra.core.override_parser.types import Glob

    group = override.key_or_group
    text = (override.input_line or "").partition("=")[2]
    if override.is_delete():
        return f"~{group}: {group} cannot be left out. Choose one of: {', '.join(groups()[group])}"
    if override.is_add() or override.is_force_add() or override.package:
        return f"{override.input_line}: a choice replaces the default one. Try: run {shlex.quote(f'{group}={text}')}"
    values = values_of(override)
    if isinstance(override.value(), Glob) and not values:
        return f"{override.input_line}: no {group} has such a name. Choices: {', '.join(groups()[group])}"
    if group not in LISTS and (several := next((value for value in values if isinstance(value, list)), None)):
        each = ",".join(map(str, several))
        return f"{override.input_line}: one {group} in a run. Try: run -m {shlex.quote(f'{group}={each}')}"
    return None
