"""Makes dataclasses of plain values: directly if each value has the type of its field, else by OmegaConf.

OmegaConf converts what it can, such as the text "3" to the number of a field, and refuses the rest; that takes ten
times as long, and few configs need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")
UNSET = "???"  # OmegaConf's mark for a value that must be given


def typed(kind: type[T], values: Mapping[str, object]) -> T:
    """Return the dataclass `kind` of these values and its defaults; OmegaConfBaseException for a value that is wrong.

    values: keys and plain values, interpolations resolved, as read from YAML.
    """
    try:
        made = of_plain_values(kind, values)
    except TypeError:
        from omegaconf import OmegaConf

        made = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), values))  # type: ignore[assignment]
    return made


def of_type(hint: object, value: object) -> object:
    """Return a value that has the type `hint`, with an int converted where a float is expected; raise TypeError for any
    other.
    """
    return _checked(hint, None, value)


def of_plain_values(kind: type[T], values: object) -> T:
    """Return the dataclass `kind` of these values; raise TypeError for an unknown key or a value of another type."""
    known = _fields(kind)
    if type(values) is not dict or not values.keys() <= known.keys():
        raise TypeError
    return kind(**{name: _checked(*known[name], value) for name, value in values.items()})


@cache
def _fields(kind: type[DataclassInstance]) -> dict[str, tuple[object, Field[Any]]]:
    """Return the type and the field of each key."""
    hints = get_type_hints(kind)
    return {field.name: (hints[field.name], field) for field in fields(kind)}


def _checked(hint: object, field: Field[Any] | None, value: object) -> object:
    """Check a value as `of_type` does; field: a mapping is merged into its default."""
    if value == UNSET:
        raise TypeError
    if hint is Any or type(value) is hint:
        return value
    if isinstance(hint, UnionType) and NoneType in get_args(hint):
        inner = [part for part in get_args(hint) if part is not NoneType]
        return None if value is None else _checked(inner[0], field, value)
    if isinstance(hint, type) and is_dataclass(hint):
        return of_plain_values(hint, value)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not get_origin(hint):
        raise TypeError
    if isinstance(value, list):
        return [_checked(get_args(hint)[0], None, part) for part in value]
    if not isinstance(value, dict):
        raise TypeError
    key_type, part_type = get_args(hint)
    own = {_checked(key_type, None, key): _checked(part_type, None, part) for key, part in value.items()}
    return own if field is None or field.default_factory is MISSING else field.default_factory() | own
