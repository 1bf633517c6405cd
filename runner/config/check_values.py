"""Mistakes in one value: of its type, by OmegaConf, or its range, by the metadata of its dataclass field."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from models.compression.settings import METHODS
from runner.config.compose import groups
from runner.config.keys import closest, did_you_mean, known_keys
from runner.config.typed import of_type
from runner.schema import Command, Settings
from runner.statistics import score_table
from runner.track.uri import address_problem

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from omegaconf import DictConfig

CHOICES = {"data.metrics": score_table.CHOICES}  # choices of settings that are not in their dataclass
PART_NAMES = ("model.embedding.name", "model.readout.name")  # parts, whose options are in the YAML of their name
PRESET = "measure.baseline"  # names a preset of the group model
MOST_LISTED = 12  # choices in a message; if there are more, only those close to what was typed are listed


def _field(key: str) -> dataclasses.Field[object] | None:
    """Return the dataclass field behind a dotted key, or None if the schema does not have it."""
    return _field_and_type(key)[0]


@cache
def _field_and_type(key: str) -> tuple[dataclasses.Field[object] | None, object]:
    """Return the dataclass field behind a dotted key and its type, or (None, None) if the schema does not have it."""
    kind: Any = Command
    found = hint = None
    if (stage := _stage_of(key)) is not None:
        kind, key = stage[0], stage[1]
    for part in key.split("."):
        if not dataclasses.is_dataclass(kind):
            return None, None
        found = next((f for f in dataclasses.fields(kind) if f.name == part), None)
        if found is None:
            return None, None
        hint = _hints(kind)[part]  # type: ignore[arg-type]  # mypy takes a dataclass for one of its instances
        kind = next((k for k in get_args(hint) if dataclasses.is_dataclass(k)), hint)
    return found, hint


def is_text(key: str) -> bool:
    """Is a setting's value a text, possibly null?"""
    hint = _field_and_type(key)[1]
    return hint is str or (isinstance(hint, UnionType) and str in get_args(hint))


def choices_for(key: str) -> tuple[object, ...]:
    """Return the values that a setting may have, if they can be listed.

    Empty for a number, a text, or an option of a method.
    """
    if key.startswith("compression."):
        return ()  # the class of a method is known when its YAML is composed, for which completion does not wait
    found = _field(key)
    if found is None:
        return ()
    return tuple(
        CHOICES.get(key) or found.metadata.get("choices") or (("true", "false") if found.type == "bool" else ())
    )


@cache
def _hints(kind: type) -> dict[str, object]:
    """Return the types of a dataclass's fields, which are text until they are evaluated."""
    return get_type_hints(kind)


def _stage_of(key: str) -> tuple[type[DataclassInstance], str] | None:
    """Return the settings class and the option behind compression.<name>.<option>; a phase of a stage has its own
    class.
    """
    group, _, rest = key.partition(".")
    name, _, option = rest.partition(".")
    if group != "compression" or not option or name not in groups()[group] or name == "none":
        return None
    kind = METHODS[known_keys(f"{group}=[{name}]")[f"{group}.{name}.method"]]
    owner, *entry = option.split(".", 2)
    hint = _hints(kind).get(owner)  # type: ignore[arg-type]
    if len(entry) == 2 and get_origin(hint) is dict:
        return get_args(hint)[1], entry[1]
    return kind, option


def check_type(key: str, value: object) -> str | None:
    """Return the mistake in the type or the range of one value; None for a good one."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if isinstance(value, str) and "${" in value:
        return None  # an interpolation: checked once the whole config is composed
    found, hint = _field_and_type(key)
    if found is not None and not isinstance(value, dict):
        with contextlib.suppress(TypeError):  # only for a value that OmegaConf converts or refuses: it takes 30 ms
            return check_range(key, of_type(hint, value))
    try:
        kind, name = _stage_of(key) or (Command, key)
        config = _typed(kind)
        OmegaConf.update(config, name, value, merge=False)
        typed = OmegaConf.select(config, name)
    except OmegaConfBaseException as error:
        reason = str(error).splitlines()[0].rstrip(".")
        cure = (
            _converted(key, value, hint) or _expected(_field(key), key) or "Fix its value; the defaults: run --cfg job"
        )
        return f"{key}={value}: {reason}. {cure}"
    return check_range(key, typed)


def _converted(key: str, value: object, hint: object) -> str | None:
    """Return the cure for one value instead of a list, a list instead of one value, or a float such as 1e3 instead of
    an integer; None for any other mistake.
    """
    if get_origin(hint) is list and isinstance(value, str | int | float):
        return f"Try: run {shlex.quote(f'{key}=[{value}]')}"
    if isinstance(value, list) and (columns := both_columns(key, value)):
        return f"Try: run {columns}"
    if isinstance(value, list) and value and not isinstance(value[0], list | dict) and _takes_one(hint):
        return f"Try: run -m {shlex.quote(f'{key}={_in_brackets(value)[1:-1]}')}"
    if isinstance(value, float) and value.is_integer() and int in (hint, *get_args(hint)):
        return f"Try: run {key}={int(value)}"
    return None


def both_columns(key: str, values: Sequence[object]) -> str:
    """Return the settings for pairs of texts if these are two columns of texts; else ""."""
    if key != "data.text" or len(values) != 2:
        return ""
    return " ".join(shlex.quote(f"{name}={column}") for name, column in zip((key, "data.text_pair"), values))


def _takes_one(hint: object) -> bool:
    """Is a value of this type a single number, text or boolean, possibly null?"""
    return {hint, *get_args(hint)} & {int, float, str, bool} != set() and get_origin(hint) not in (list, dict)


def check_option(key: str, value: object, default: object) -> str | None:
    """Return the mistake in an option of a model's part: a wrong type, or a part's name without that part's options.

    Such an option has no dataclass; its type is that of the default in its YAML.
    """
    if key in PART_NAMES and value != default:
        group = key.removesuffix(".name").replace(".", "/")
        chosen = value if value in groups()[group] else default
        return f"{key}={value}: a name without the options of that part. Try: run {group}={chosen}"
    if _field(key) is not None or value is None or default is None or (isinstance(value, str) and "${" in value):
        return None
    kind = bool if isinstance(default, bool) else int | float if isinstance(default, int | float) else None
    is_part = type(default) is int and isinstance(value, float) and not value.is_integer()
    if kind is None or (isinstance(value, kind) and (kind is bool or not isinstance(value, bool)) and not is_part):
        return None
    expected = "true or false" if kind is bool else "a whole number" if type(default) is int else "a number"
    return f"{key}={value}: expected {expected}. Try: run {key}={str(default).lower()}"


@cache
def _typed(kind: type[DataclassInstance]) -> DictConfig:
    """Return a dataclass as a config that accepts only values of the right type.

    Cached, since making it takes 10 ms.
    """
    from omegaconf import OmegaConf

    return OmegaConf.structured(kind)


def check_range(key: str, value: object) -> str | None:
    """One line if `value` is text that cannot be used, or outside the range in the field's metadata, else None."""
    found = _field(key)
    return _unusable(key, value) or (None if found is None else _outside(found, key, value))


def _unusable(key: str, value: object) -> str | None:
    """Return the mistake in text that no file, record or address can hold."""
    for part in value if isinstance(value, list) else [value]:
        if not isinstance(part, str):
            continue
        if "\0" in part or any("\ud800" <= letter <= "\udfff" for letter in part):
            return f"{key}={part}: holds a NUL or a byte that is not UTF-8. Rename the file, or type its name again"
        try:
            Path(part).expanduser()
        except RuntimeError:
            return f"{key}={part}: this machine has no such user. Try: {key}=~/{part.partition('/')[2]}"
    return None


def check_field(kind: type, key: str, value: object, prefix: str) -> str | None:
    """Return one line if a value is outside the range of the field `key` of the dataclass `kind`.

    prefix: precedes the key in the message.
    """
    found = next(field for field in dataclasses.fields(kind) if field.name == key)
    return _outside(found, f"{prefix}{key}", value)


def _outside(found: dataclasses.Field[object], key: str, value: object) -> str | None:
    limits = found.metadata
    if value is None:
        return None
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) != limits.get("count", len(value)):
        return f"{key}={_in_brackets(value)}: {limits['count']} numbers are needed. {_expected(found, key)}"
    for part in value if isinstance(value, Iterable) and not isinstance(value, str | dict) else [value]:
        choices = CHOICES.get(key) or limits.get("choices")
        if key == PRESET:
            choices = list(dict.fromkeys([found.default, *groups()["model"]]))  # the default first
        if choices and part not in choices:
            close = closest(str(part), [str(c) for c in choices])
            is_list_short = not close or len(choices) <= MOST_LISTED
            known = (
                f"must be one of {', '.join(map(str, choices))}." if is_list_short else f"unknown{did_you_mean(close)}"
            )
            first = (close or choices)[0]
            setting = f"{key}={f'[{first}]' if part is not value else first}"
            return f"{key}={part}: {known} Try: run {shlex.quote(setting)}"
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


def _in_brackets(values: Sequence[object]) -> str:
    return f"[{','.join(map(str, values))}]"


def _expected(found: dataclasses.Field[object] | None, key: str) -> str:
    if found is None:
        return ""
    limits, words = found.metadata, []
    if "low" in limits:
        words.append(f"at least {limits['low']:.10g}")
    if "above" in limits:
        words.append(f"more than {limits['above']:.10g}")
    if "high" in limits:
        words.append(f"at most {limits['high']:.10g}")
    expected = f"Expected {' and '.join(words)}. " if words else ""
    default = found.default if found.default_factory is dataclasses.MISSING else found.default_factory()
    shown = known_keys().get(key, default)
    if isinstance(shown, str) and "${" in shown:
        shown = default
    if isinstance(shown, dict) or dataclasses.is_dataclass(shown):
        return ""  # a group of settings, which has no value of its own
    if isinstance(shown, list):
        shown = _in_brackets(shown)
    if shown is None:
        shown = limits.get("low", "null")
    return f"{expected}Try: run {shlex.quote(f'{key}={shown}')}"


def check_settings(settings: Settings) -> list[str]:
    """Return one line for each value of whole settings that is out of range, or that another one forbids."""
    flat = dataclasses.asdict(settings)
    found = [p for key, value in _leaves(flat) if (p := check_range(key, value))]
    if problem := address_problem(settings.tracker.uri):
        found.append(problem)
    if settings.force and settings.resume == "must":
        found.append("resume=must continues a run, force=true starts it again from scratch. Try: run resume=must")
    return found


def _leaves(node: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
