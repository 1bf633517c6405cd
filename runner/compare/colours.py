"""The colours of a comparison's charts: one for each value of a setting that varies, so that patterns show.

Up to eight groups have a colour each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from runner.compare.groups import Group, ranked_settings
from runner.record.run_names import shown_setting

MOST = 8  # colours that can be told apart
OTHER = "other"


@dataclass(frozen=True)
class Colouring:
    """A colour for each group, by its number, and what each colour stands for.

    setting: whose values the colours are; None where each group has its own.
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

    Where all have more, the first of them: its seven most frequent values, and one colour for all others.
    """
    if len(groups) <= MOST:
        return Colouring(list(range(len(groups))), [group.name for group in groups])
    values = {key: [shown_setting(key, one.settings) for one in groups] for key in ranked_settings(list(groups))}
    few = next((key for key, found in values.items() if len(set(found)) <= MOST), None)
    key = few or next(iter(values))
    names = _in_order(values[key])
    if len(names) > MOST:
        frequent = [name for name, _ in Counter(values[key]).most_common(MOST - 1)]
        names = [*(name for name in names if name in frequent), OTHER]
    of = [names.index(value) if value in names else len(names) - 1 for value in values[key]]
    return Colouring(of, names, key)


def _in_order(values: Sequence[str]) -> list[str]:
    """Return the different values: numbers by size, others as they first appear."""
    found = list(dict.fromkeys(values))
    try:
        return sorted(found, key=float)
    except ValueError:
        return found
