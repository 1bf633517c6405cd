"""The colours of a comparison's charts: one for each value of a setting that varies, so that patterns are visible.

Up to eight groups get a colour each.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from runner.compare.groups import Group, ranked_settings
from runner.record.run_names import shown_setting

MOST = 8  # colours that can be distinguished
OTHER = "other"


@dataclass(frozen=True)
class Colouring:
    """A colour for each group, by its number, and what each colour stands for.

    setting: whose values the colours stand for; None if each group has its own colour.
    """

    of: list[int]
    names: list[str]
    setting: str | None = None

    @property
    def title(self) -> str:
        """The setting as a command names it."""
        return (self.setting or "").removesuffix(".name")


def colour_groups(groups: Sequence[Group]) -> Colouring:
    """Return the colours of the groups: by the first setting of their names that has two to eight values.

    If all have more, the first is used: ranges of its numbers, or its seven most frequent values and all others.
    """
    if len(groups) <= MOST:
        return Colouring(list(range(len(groups))), [group.name for group in groups])
    values = {key: [shown_setting(key, one.settings) for one in groups] for key in ranked_settings(list(groups))}
    few = next((key for key, found in values.items() if len(set(found)) <= MOST), None)
    key = few or next(iter(values))
    names = _in_order(values[key])
    if len(names) <= MOST:
        return Colouring([names.index(value) for value in values[key]], names, key)
    parts = _ranges(names) if _are_numbers(names) else _frequent(values[key])
    shown = list(dict.fromkeys(parts[name] for name in names))
    shown.sort(key=OTHER.__eq__)  # False comes first
    return Colouring([shown.index(parts[value]) for value in values[key]], shown, key)


def _in_order(values: Sequence[str]) -> list[str]:
    """Return the different values: numbers by size, others as they first appear."""
    found = list(dict.fromkeys(values))
    return sorted(found, key=float) if _are_numbers(found) else found


def _are_numbers(values: Sequence[str]) -> bool:
    try:
        return all(math.isfinite(float(value)) for value in values)
    except ValueError:
        return False


def _ranges(values: Sequence[str]) -> dict[str, str]:
    """Return the range of each of these ordered values: MOST ranges of about as many values."""
    cuts = [round(i * len(values) / MOST) for i in range(MOST + 1)]
    parts = [values[start:end] for start, end in itertools.pairwise(cuts)]
    return {value: part[0] if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in parts for value in part}


def _frequent(values: Sequence[str]) -> dict[str, str]:
    """Return each value for itself if it is among the most frequent, else OTHER."""
    frequent = {name for name, _ in Counter(values).most_common(MOST - 1)}
    return {value: value if value in frequent else OTHER for value in values}
