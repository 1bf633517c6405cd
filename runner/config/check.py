"""Every mistake of a command line at once, each with a suggestion, before anything heavy is imported.

Hydra stops at the first mistake, advises `+key` for a typo and takes `+typo=1` without a word; here each override
is looked at on its own against the groups in conf/ and the dataclasses of runner/schema.py.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from data.sources.columns import quoted_setting
from runner.config.check_files import as_dataset, one_file
from runner.config.check_hydra import TUNER, check_hydra, is_tuned
from runner.config.check_values import check_option, check_settings, check_type
from runner.config.compose import compose, groups, resolve
from runner.config.keys import is_part, known_keys, near, owner_of
from runner.config.plugins import named_sweeps, sweep_overrides
from runner.errors import ConfigError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override


SWEEP = "sweep"
MOST_RUNS = 10_000  # of one command


def check(words: list[str], multirun: bool = False) -> list[str]:
    """One line for each mistake in the overrides `words`; an empty list means that the command can run."""
    problems: list[str] = []
    overrides = []
    for word in words:
        parsed, problem = _parse(word)
        problems += [problem] if problem else []
        overrides += [parsed] if parsed else []
    named = [override for override in overrides if override.key_or_group == SWEEP]
    for override in named:
        problems += _check_sweep(override, multirun)
    if named and not problems:  # its own overrides are checked with those of the command line, which replace them
        rest = [(word, override) for word, override in zip(words, overrides) if override not in named]
        given = {override.get_key_element() for _, override in rest}
        own = [_parse(word)[0] for override in named for word in sweep_overrides(str(override.value()))]
        overrides = [o for o in own if o and o.get_key_element() not in given] + [override for _, override in rest]
    overrides = [override for override in overrides if override not in named]
    if too_many := list(_check_count(overrides)):
        return problems + too_many  # no value of them is looked at
    chosen: dict[str, list[str]] = {}
    tuned = is_tuned(overrides)
    ours = [override for override in overrides if not override.key_or_group.startswith("hydra")]
    for override in ours:
        if override.key_or_group in groups():
            problems += _check_group(override, chosen)
    for override in ours:
        if override.key_or_group not in groups():
            problems += _check_value(override, chosen, multirun, tuned)
    problems += check_hydra(overrides, multirun)
    if not problems and not any(o.is_sweep_override() for o in overrides):
        problems += _check_whole([override.input_line or "" for override in overrides])
    return problems


def _check_sweep(override: Override, multirun: bool) -> Iterator[str]:
    """What is wrong with `+sweep=<name>`."""
    known, name = list(named_sweeps()), str(override.value())
    if name not in known:
        close = near(name, known)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        yield f"+sweep={name}: no such sweep{hint} Sweeps: {', '.join(known)}. Try: run -m +sweep={(close or known)[0]}"
    elif not override.is_add():
        yield f"sweep={name}: a sweep is added to a command. Try: run -m +sweep={name}"
    elif not multirun:
        yield f"+sweep={name} is several runs. Try: run -m +sweep={name}"


def _check_count(overrides: list[Override]) -> Iterator[str]:
    """What is wrong with ranges that never end in practice, such as range(0,1000000000)."""
    from hydra.core.override_parser.types import ChoiceSweep, RangeSweep

    runs, words = 1.0, []
    for override in overrides:
        value = override.value()
        if isinstance(value, RangeSweep):
            if not value.step:
                yield f"{override.input_line}: a range with steps of 0 has no end. Try steps of 1"
                return
            runs *= max(0.0, ((value.stop or 0) - (value.start or 0)) / value.step)
            words.append(override.input_line)
        elif isinstance(value, ChoiceSweep):
            runs *= len(value.list)
            words.append(override.input_line)
    if runs > MOST_RUNS:
        yield f"{' '.join(map(str, words))}: {runs:,.0f} runs, at most {MOST_RUNS:,} in one command. Try fewer values"


def _parse(word: str) -> tuple[Override | None, str | None]:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_override(word), None
    except HydraException as error:
        reason = str(error).splitlines()[0]
        key, _, value = word.partition("=")
        return (
            None,
            f"{word!r} cannot be read as key=value: {reason}. Quote special characters, try: "
            f"{quoted_setting(key, value)}",
        )


def values_of(override: Override) -> list[Any]:
    """The values one override stands for: one, each of a sweep, or the ends of an interval."""
    from hydra.core.override_parser.types import ChoiceSweep, Glob, IntervalSweep

    value, group = override.value(), override.key_or_group
    if isinstance(value, Glob):
        if group not in groups():
            raise ConfigError(
                f"{override.input_line}: glob picks among the choices of a group, {group} is none. Try a list"
            )
        return list(value.filter(groups()[group]))
    if isinstance(value, IntervalSweep):
        return [value.start, value.end]
    if isinstance(value, ChoiceSweep):
        return list(override.sweep_iterator())
    if override.is_sweep_override():
        return list(override.sweep_string_iterator())
    return [value]


def _check_group(override: Override, chosen: dict[str, list[str]]) -> Iterator[str]:
    group, known = override.key_or_group, groups()[override.key_or_group]
    if override.is_delete():
        yield f"~{group}: {group} cannot be left out. Choose one of: {', '.join(known)}"
        return
    for value in values_of(override):
        unknown = [
            name for name in _names(value) if name not in known and not (name == "null" and group == "experiment")
        ]
        for name in unknown:
            if group == "data" and (problem := as_dataset(name)):
                yield problem
                continue
            close = near(name, known)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            paste = f"[{(close or known)[0]}]" if group == "compression" else (close or known)[0]
            yield f"{group}={name}: no such {group}{hint} Choices: {', '.join(known)}. Try: run {group}={paste}"
        if not unknown and value is not None:
            # Stages are chosen together: a setting of one of them is a setting of all of the chain.
            chosen.setdefault(group, []).append(
                f"[{','.join(_names(value))}]" if group == "compression" else str(value)
            )


def _names(value: Any) -> list[str]:
    """The option names in one value of a group: `dsn`, or each of `[none,int8]`."""
    if isinstance(value, list):
        return [str(part) for part in value]
    text = "null" if value is None else str(value)
    return [part.strip() for part in text.strip("[]").split(",")]


def _check_value(override: Override, chosen: dict[str, list[str]], multirun: bool, tuned: bool) -> Iterator[str]:
    key = override.key_or_group
    group = key.split(".")[0]
    picked = [[f"{g}={option}" for option in options] for g, options in sorted(chosen.items()) if is_part(g, group)]
    combinations = list(itertools.product(*picked))
    tables = [known_keys(*choices) for choices in combinations]
    if override.is_delete():
        yield f"~{key}: a setting cannot be removed, only changed. Try: run {key}=<value>"
        return
    text = (override.input_line or "").partition("=")[2]
    if not text:
        yield f"{key}= has no value. Try: run {key}=null for none, or a value; perhaps a variable of the shell is empty"
        return
    missing = [choices for choices, table in zip(combinations, tables) if key not in table]
    if missing:
        yield _unknown_key(key, group, " ".join(missing[0]), sorted(set().union(*tables)))
        return
    if override.is_add():
        yield f"+{key}: the key exists already; leave the + away. Try: run {key}={text}"
        return
    if override.is_sweep_override() and not multirun:
        hint = one_file(key, text)
        yield f"{key}={text} holds several values, which is a sweep. Try: run -m {key}={text}{hint}"
        return
    if override.is_sweep_override() and not override.is_discrete_sweep():
        if not tuned:
            yield f"{key}={text} is for a tuner to search. Try: run -m {TUNER} '{key}={text}', or list the values"
            return
        if (whole := _whole_numbers(override)) and check_type(key, whole[0] + 0.5):
            paste = f"'{key}=int(interval({whole[0]},{whole[1]}))'"
            yield f"{key}={text}: whole numbers are needed. Try: run -m {TUNER} {paste}"
            return
    for value in values_of(override):
        problem = check_type(key, value) or check_option(key, value, tables[0][key])
        if problem:
            yield problem


def _whole_numbers(override: Override) -> tuple[int, int] | None:
    """The ends of an interval of real numbers, as whole ones; None if it holds whole numbers alone."""
    sweep: Any = override.value()
    return None if isinstance(sweep.start, int) else (int(sweep.start), int(sweep.end))


def _unknown_key(key: str, group: str, choices: str, known: list[str]) -> str:
    if key.split(".")[0] in groups() or "." not in key:
        owner = owner_of(key, group)
        if owner:
            choices = choices or f"{group}={known_keys().get(f'{group}.name', group)}"
            return f"{key}: not a setting of {choices}, but of {owner}. Try: run {owner} {key}=..."
    close = near(key, known + sorted(groups()))
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    paste = f"Try: run {close[0]}=..." if close else "See every key: run --cfg job"
    return f"{key}: no such key{hint or '.'} {paste}"


def _check_whole(words: list[str]) -> list[str]:
    """Range and cross-field mistakes that show only in the composed config, such as a bad value in a YAML."""
    try:
        settings = resolve(compose(words))
    except ConfigError as error:
        return str(error).splitlines()
    return check_settings(settings)
