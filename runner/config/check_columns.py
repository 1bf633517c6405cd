"""Refuses one column in two roles: a model that reads the label as its text has a perfect score and learns nothing."""

from __future__ import annotations

from data.settings import DataSettings
from runner.schema import Settings
from runner.tasks import named_task


def column_conflicts(settings: Settings) -> list[str]:
    """Return one line for each column that two settings name, with the cure."""
    named = named_task(settings.task, settings.data)
    if named is not None and named.input == "words":
        roles = _of_words(settings.data)
    else:
        roles = _of_texts(settings.data, has_label=named is None or named.needs_label)
    return [
        f"{key}={column}: {roles[place][0]} is that column already. Try: {key}=<another column>"
        for number, (key, column) in enumerate(roles)
        for place in range(number)
        if roles[place][1] == column
    ]


def _of_words(data: DataSettings) -> list[tuple[str, str]]:
    """Return the settings of a tagger that name a column, each with its column."""
    tags = data.tags if isinstance(data.tags, list) else [data.tags]
    return [(key, name) for key, name in (("data.tokens", data.tokens), *(("data.tags", one) for one in tags)) if name]


def _of_texts(data: DataSettings, has_label: bool) -> list[tuple[str, str]]:
    """Return the settings of any other task that name a column, each with its column."""
    named = {"data.text": data.text, "data.text_pair": data.text_pair, "data.label": data.label}
    if data.audio is not None:
        named = {"data.audio": data.audio, "data.label": data.label}
    if data.labels or data.queries is not None or not has_label:  # the label is elsewhere, or there is none
        del named["data.label"]
    return [(key, column) for key, column in named.items() if column]
