"""Audits a data set: the rows are read once, and every check runs on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from data.errors import DataError
from data.folds import also_trained_on
from data.settings import DataSettings
from data.stores.build_once import SharedCache
from runner.audit.advice import Problems, advise
from runner.audit.facts import Audit
from runner.audit.labels import label_facts, task_facts, used_splits
from runner.audit.lengths import length_facts
from runner.audit.read import read_leniently, sources_of
from runner.audit.repeats import Texts, exact_repeats, near_repeats
from runner.schema import Settings
from runner.tasks.make import target_of, task_of_labels

RULE = "data.duplicates="
FEW = 1000  # distinct training texts: fewer may all occur in another split, or be too few groups to cut splits off


def also_of_rows(problems: Problems, data: DataSettings, cache: SharedCache, target: str) -> Problems:
    """Return what also finds a rule for repeated texts wrong with which these very rows cannot be read."""

    def check(words: list[str]) -> list[str]:
        found = problems(words)
        rule = next((word.removeprefix(RULE) for word in words if word.startswith(RULE)), data.duplicates)
        if found or rule == data.duplicates:
            return found
        try:
            read_leniently(replace(data, duplicates=rule), cache, target)
        except DataError as error:
            return [str(error)]
        return []

    return check


def audit_data(
    settings: Settings,
    words: Sequence[str],
    of_files: Sequence[str] | None = (),
    *,
    all_near: bool,
    problems: Problems,
) -> Audit:
    """Return what is known of a data set before training. Raises DataError for rows that cannot be read.

    words: of the command that the settings were made from. of_files: what files that it names, such as
    experiment=mine, set of the data, as words; None: that cannot be written so. all_near: look for near repeats of
    every text, not of a sample. problems: what is wrong with a command.
    """
    cache = SharedCache(Path(settings.paths.cache).expanduser())
    rows, needed = read_leniently(settings.data, cache, target_of(settings))
    task = task_of_labels(rows.task, settings)
    names = used_splits(rows)
    labels, texts = label_facts(rows), Texts(rows, cache, also_trained_on(settings.data, rows.select, rows.report))
    repeats, leaks = exact_repeats(texts)
    lengths, tokenizer = length_facts(rows, settings)
    facts = task_facts(rows, task, settings)
    distinct = repeats["train"].rows - repeats["train"].repeated
    if distinct < FEW or any(leak.rows >= distinct for leak in leaks):
        problems = also_of_rows(problems, settings.data, cache, target_of(settings))
    cured = [leak for leak in leaks if not {leak.inside, leak.split} <= rows.own]  # by some data.duplicates
    return Audit(
        data=settings.data.name,
        sources=sources_of(settings.data),
        splits={name: len(rows.raw.splits[name]) for name in names},
        dropped={what: count for what, count in rows.raw.dropped.items() if count},
        task=facts,
        labels=labels,
        lengths=lengths,
        tokenizer=tokenizer,
        repeats=repeats,
        leaks=leaks,
        near=near_repeats(texts, all_of_them=all_near),
        notes=tuple(rows.raw.notes),
        unit=rows.raw.splits["train"].unit,
        advice=advise(
            words, of_files, settings.data, needed, facts, labels, lengths, tokenizer, repeats, cured, problems
        ),
    )
