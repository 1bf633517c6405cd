"""Every mistake of a command line at once, each with a suggestion, before anything heavy is imported.

Hydra stops at the first mistake, advises `+key` for a typo and takes `+typo=1` without a word; here each override
is looked at on its own against the groups in conf/ and the dataclasses of runner/schema.py.
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from runner.check_hydra import TUNER, check_hydra, is_tuned
from runner.compose import compose, groups, resolve
from runner.errors import ConfigError
from runner.keys import is_part, known_keys, owner_of
from runner.sweep import names, sweep_overrides

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

    from runner.schema import Settings


SWEEP = "sweep"


def near(word: str, known: list[str]) -> list[str]:
    """The known words that `word` may have meant, best first; a bare `lr` finds `optimizer.lr`."""
    by_leaf = [name for name in known if "." not in word and name.rsplit(".", 1)[-1] == word]
    by_leaf.sort(key=lambda name: name.count("."))
    return list(dict.fromkeys(by_leaf + difflib.get_close_matches(word, known, n=2, cutoff=0.7)))[:2]


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
        problems += _check_whole(words)
    return problems


def _check_sweep(override: Override, multirun: bool) -> Iterator[str]:
    """What is wrong with `+sweep=<name>`."""
    known, name = list(names()), str(override.value())
    if name not in known:
        close = near(name, known)
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        yield f"+sweep={name}: no such sweep{hint} Sweeps: {', '.join(known)}. Try: run -m +sweep={(close or known)[0]}"
    elif not override.is_add():
        yield f"sweep={name}: a sweep is added to a command. Try: run -m +sweep={name}"
    elif not multirun:
        yield f"+sweep={name} is several runs. Try: run -m +sweep={name}"


def _parse(word: str) -> tuple[Override | None, str | None]:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return OverridesParser.create().parse_override(word), None
    except HydraException as error:
        reason = str(error).splitlines()[0]
        return (
            None,
            f"{word!r} cannot be read as key=value: {reason}. Quote special characters: 'key=\"a, b\"'",
        )


def values_of(override: Override) -> list[Any]:
    """The values one override stands for: one, each of a sweep, or the ends of an interval."""
    from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep

    value = override.value()
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
        for name in _names(value):
            if name == "null" and group == "experiment":
                continue
            if name in known:
                chosen.setdefault(group, []).append(name)
                continue
            close = near(name, known)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            paste = f"[{(close or known)[0]}]" if group == "compression" else (close or known)[0]
            yield f"{group}={name}: no such {group}{hint} Choices: {', '.join(known)}. Try: run {group}={paste}"


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
    missing = [choices for choices, table in zip(combinations, tables) if key not in table]
    if missing:
        yield _unknown_key(key, group, " ".join(missing[0]), sorted(set().union(*tables)))
        return
    if override.is_add():
        yield f"+{key}: the key exists already; leave the + away. Try: run {key}={text}"
        return
    if override.is_sweep_override() and not multirun:
        yield f"{key}={text} holds several values, which is a sweep. Try: run -m {key}={text}"
        return
    if override.is_sweep_override() and not override.is_discrete_sweep():
        if not tuned:
            yield f"{key}={text} is for a tuner to search. Try: run -m {TUNER} '{key}={text}', or list the values"
            return
        if (whole := _whole_numbers(override)) and _check_one(key, whole[0] + 0.5):
            paste = f"'{key}=int(interval({whole[0]},{whole[1]}))'"
            yield f"{key}={text}: whole numbers are needed. Try: run -m {TUNER} {paste}"
            return
    for value in values_of(override):
        problem = _check_one(key, value) or _check_kind(key, value, tables[0][key])
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


@cache
def _field(key: str) -> dataclasses.Field[Any] | None:
    """The dataclass field behind a dotted key, or None where the schema says nothing."""
    from runner import schema

    kind: Any = schema.Command
    found = None
    for part in key.split("."):
        if not dataclasses.is_dataclass(kind):
            return None
        found = next((f for f in dataclasses.fields(kind) if f.name == part), None)
        if found is None:
            return None
        kind = get_type_hints(kind)[part]
        kind = next((k for k in get_args(kind) if dataclasses.is_dataclass(k)), kind)
    return found


def _check_one(key: str, value: Any) -> str | None:
    """What is wrong with one value: its type by OmegaConf, its range by the field's metadata."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if isinstance(value, str) and "${" in value:
        return None  # an interpolation: checked once the whole config is composed
    try:
        config = _typed()
        OmegaConf.update(config, key, value, merge=True)
        typed = OmegaConf.select(config, key)
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0]
        return f"{key}={value}: {reason}. {_expected(_field(key), key)}"
    return check_range(key, typed)


def _check_kind(key: str, value: Any, default: Any) -> str | None:
    """What is wrong with the type of a part's option, of which only the YAML's own value says what it should be."""
    if _field(key) is not None or value is None or default is None or (isinstance(value, str) and "${" in value):
        return None
    kind = bool if isinstance(default, bool) else int | float if isinstance(default, int | float) else None
    if kind is None or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool))):
        return None
    expected = "true or false" if kind is bool else "a number"
    return f"{key}={value}: expected {expected}. Try: run {key}={str(default).lower()}"


@cache
def _typed() -> Any:
    """The schema as a config that takes values of the right type only; made once, as that takes 10 ms."""
    from omegaconf import OmegaConf

    from runner.schema import Command

    return OmegaConf.structured(Command)


def check_range(key: str, value: Any) -> str | None:
    """One line if `value` lies outside the range in the field's metadata, else None."""
    found = _field(key)
    return None if found is None else _outside(found, key, value)


def out_of_range(kind: type, key: str, value: Any, prefix: str) -> str | None:
    """The same for the field `key` of any dataclass, which the command line calls `prefix` + `key`."""
    found = next(field for field in dataclasses.fields(kind) if field.name == key)
    return _outside(found, f"{prefix}{key}", value)


def _outside(found: dataclasses.Field[Any], key: str, value: Any) -> str | None:
    limits = found.metadata
    if value is None:
        return None
    for part in value if hasattr(value, "__iter__") and not isinstance(value, str | dict) else [value]:
        if "choices" in limits and part not in limits["choices"]:
            close = near(str(part), [str(c) for c in limits["choices"]])
            listed = ", ".join(map(str, limits["choices"]))
            return f"{key}={part}: must be one of {listed}. Try: run {key}={(close or limits['choices'])[0]}"
        number = isinstance(part, int | float) and not isinstance(part, bool)
        outside = number and (
            part != part
            or ("low" in limits and part < limits["low"])
            or ("above" in limits and part <= limits["above"])
            or ("high" in limits and part > limits["high"])
        )
        if outside:
            return f"{key}={part}: out of range. {_expected(found, key)}"
    return None


def _expected(found: dataclasses.Field[Any] | None, key: str) -> str:
    if found is None:
        return ""
    limits, words = found.metadata, []
    if "low" in limits:
        words.append(f"at least {limits['low']:g}")
    if "above" in limits:
        words.append(f"more than {limits['above']:g}")
    if "high" in limits:
        words.append(f"at most {limits['high']:g}")
    expected = f"Expected {' and '.join(words)}. " if words else ""
    shown = known_keys().get(key, found.default)
    if isinstance(shown, str) and "${" in shown:
        shown = found.default
    if shown is None:
        shown = limits.get("low", "null")
    return f"{expected}Try: run {key}={shown}"


def _check_whole(words: list[str]) -> list[str]:
    """Range and cross-field mistakes that show only in the composed config, such as a bad value in a YAML."""
    try:
        settings = resolve(compose(words))
    except ConfigError as error:
        return str(error).splitlines()
    return check_settings(settings)


def check_settings(settings: Settings) -> list[str]:
    """One line for each value of whole settings that is out of range."""
    flat = dataclasses.asdict(settings)
    return [p for key, value in _leaves(flat) if (p := check_range(key, value))]


def _leaves(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
