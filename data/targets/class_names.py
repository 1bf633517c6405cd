"""Names that the user gives to classes (`data.label_names`), as a mapping or as a list.

A mapping {value: name} names each value. A list of the values themselves (in any order and case) sets the order of the
classes; any other list names the values in their own order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from data.errors import DataError
from data.sources.cells import plain_number

KEY = "data.label_names"
Names = list[str] | dict[str, str]


def name_classes(given: Names | None, values: Sequence[str], where: str) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return the class id of each value, and the class names in id order; DataError for names that do not fit.

    values: all of them, in id order; where: how messages call the training rows.
    """
    if not given:
        return {value: i for i, value in enumerate(values)}, tuple(values)
    names = _by_mapping(given, values, where) if isinstance(given, dict) else list(given)
    shared = sorted({name for name in names if names.count(name) > 1})
    if shared:
        raise DataError(f"{KEY}: {shared[0]!r} names two classes; each needs a different name. {_cure(values)}")
    if len(names) != len(values):
        raise DataError(
            f"{KEY} has {len(names)} names ({_shown(names)}), but the labels of {where} have {len(values)} values "
            f"({_shown(values)}). {_cure(values)}"
        )
    if isinstance(given, list) and (found := _found(names, values)):
        if len(found) < len(values):
            raise DataError(
                f"{KEY}=[{','.join(names)}] holds some of the values of {where} ({_shown(values)}) and other names, "
                f"so it is unclear which is which. {_cure(values)}"
            )
        return {found[name]: i for i, name in enumerate(names)}, tuple(names)
    return {value: i for i, value in enumerate(values)}, tuple(names)


def _found(names: Sequence[str], values: Sequence[str]) -> dict[str, str]:
    """Map names to the values they equal; case is ignored unless two values differ in nothing else."""
    exact = {plain_number(value): value for value in values} | {value: value for value in values}
    folded = {value.casefold(): value for value in values}
    loose = folded if len(folded) == len(values) and len({n.casefold() for n in names}) == len(names) else {}
    matches = {name: exact.get(name) or exact.get(plain_number(name)) or loose.get(name.casefold()) for name in names}
    return {name: value for name, value in matches.items() if value is not None}


def _by_mapping(given: dict[str, str], values: Sequence[str], where: str) -> list[str]:
    """Return the names of a mapping in the order of the values."""
    found = {value: given[key] for key, value in _found(list(given), values).items()}
    unknown = [key for key in given if key not in _found(list(given), values)]
    lacking = [value for value in values if value not in found]
    if unknown:
        raise DataError(f"{KEY}: {unknown[0]!r} is not a label of {where} (labels: {_shown(values)}). {_cure(values)}")
    if lacking:
        raise DataError(f"{KEY} has no name for {_shown(lacking)}, which {where} has. {_cure(values)}")
    return [found[value] for value in values]


def _shown(values: Sequence[str]) -> str:
    """List the first ten values."""
    return ", ".join(values[:10]) + (", ..." if len(values) > 10 else "")


def _cure(values: Sequence[str]) -> str:
    """Suggest a mapping with a placeholder for each name; a list if the values cannot be typed on a command line."""
    places = [f"<name {i + 1}>" for i in range(len(values))]
    if len(values) > 10:
        return f"Try: {len(values)} names in the order of the values, in a YAML"
    if all(re.fullmatch(r"[A-Za-z0-9_.+-]+", value) for value in values):
        return f"Try: '{KEY}={{{', '.join(f'{value}: {place}' for value, place in zip(values, places))}}}'"
    return f"Try, in this order: '{KEY}=[{', '.join(places)}]'"
