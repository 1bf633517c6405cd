"""Decides on the rows of a search: which select, the number of folds, and the overrides that runs read them by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from data.errors import CutTooSmall, DataError
from data.folds import count_folds, fold_groups
from data.inputs.truncation import MIDDLE
from data.load import Rows, read_rows
from data.settings import ALL_FOLDS
from data.stores.build_once import SharedCache
from runner.best.plan.check import check_classes, check_facts, check_no_own_folds, goal_of
from runner.best.plan.facts import read_facts
from runner.best.plan.long_texts import both_ends_tell_more
from runner.best.plan.steps import FEW_ROWS, FOLDS
from runner.best.plan.unlabelled import count_unlabelled
from runner.best.tasks import check_task
from runner.best.types import Budget, Facts
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.schema import Settings
from runner.tasks.base import Task
from runner.tasks.make import target_of, task_of_labels

OPEN = ("truncate", "max_length")  # of long texts; decided here unless the command does
WITH_FOLDS = (f"data.folds={FOLDS}", "data.fold=all")
SELECT_ROWS, SELECT_FRACTION = 1000, 0.1  # of a held-out split: the larger of both, at most data.select_max_rows


@dataclass(frozen=True)
class Table:
    """The rows of a search, and what every candidate reads them by."""

    rows: Rows  # where folds select, all labelled rows train
    facts: Facts
    settings: Settings
    goal: str
    words: tuple[str, ...]  # overrides by which a candidate reads these rows
    shared: tuple[str, ...]  # those of them that the plan adds to the command's, for every run
    folds: int  # 0: a held-out split selects


def read_table(settings: Settings, words: Sequence[str], budget: Budget, cache: SharedCache) -> Table:
    """Read the rows of a command, and decide which of them select. Raises the user's errors."""
    rows, is_whole = read_labelled(settings, words, cache)
    task = task_of_labels(rows.task, settings)
    check_task(task)
    goal, folds = goal_of(budget, task), 0
    labelled = len(rows.raw.splits["train"]) + (len(rows.raw.splits[rows.select]) if rows.is_cut else 0)
    cut = held_out_words(rows, settings, labelled, is_needed=is_whole) if labelled >= FEW_ROWS else ()
    budget = replace(budget, goal=goal)
    check_classes(rows)  # before folds, whose own message about a rare class is less clear
    shared = (*goal_words(goal, task), *cut)
    own = WITH_FOLDS if labelled < FEW_ROWS else ()
    if own:
        check_no_own_folds(settings.data)
    held = read_facts(rows, cache).new_words if own else None  # folds have no texts apart from all that train
    if shared or own:
        settings = resolve(compose([*words, *shared, *own]))
        rows = read_rows(settings.data, cache, target_of(settings))
    facts = read_facts(replace(rows, is_cut=False) if own else rows, cache)  # with folds all labelled rows are in train
    facts = facts if held is None else replace(facts, new_words=held)
    facts = check_facts(count_unlabelled(facts, rows, settings, budget, cache), budget)
    if own:
        facts = replace(facts, rows=facts.train_rows, is_cut=True)
        folds, _ = count_folds(rows.raw, settings.data, fold_groups(rows.raw, settings.data, cache))
    longest = settings.data.max_length
    is_open = {key: task.input == "text" and not any(word.startswith(f"data.{key}=") for word in words) for key in OPEN}
    facts = replace(facts, max_length=longest * is_open["max_length"], notes=(*facts.notes, *notes_of(rows)))
    table = Table(rows, facts, settings, goal, (*words, *shared, *own), shared, folds)
    return with_both_ends(table) if is_open["truncate"] and both_ends_tell_more(rows, facts, longest) else table


def with_both_ends(table: Table) -> Table:
    """Return the table whose long texts are read at both ends, with a note on it."""
    word, data = f"data.truncate={MIDDLE}", table.settings.data
    note = f"{word}: 5 % of the texts or more are longer than the {data.max_length:,} tokens that most encoders read"
    return replace(
        table, rows=replace(table.rows, raw=replace(table.rows.raw, truncate=MIDDLE)),
        facts=replace(table.facts, notes=(*table.facts.notes, note)),
        settings=replace(table.settings, data=replace(data, truncate=MIDDLE)),
        words=(*table.words, word), shared=(*table.shared, word),
    )  # fmt: skip


def notes_of(rows: Rows) -> list[str]:
    """Return the notes on the rows, without that on scores of rows that were trained on: a search compares none."""
    found = [*rows.raw.notes, *rows.raw.notes_on_dropped()]
    return [note for note in found if not note.startswith(f"data.fold={ALL_FOLDS}:")]


def read_labelled(settings: Settings, words: Sequence[str], cache: SharedCache) -> tuple[Rows, bool]:
    """Return the rows, and whether train has all labelled ones, because too few of each class could be held out."""
    try:
        return read_rows(settings.data, cache, target_of(settings)), False
    except CutTooSmall as refusal:
        if settings.data.select_fraction != SELECT_FRACTION:  # the command's own
            raise
        check_no_own_folds(settings.data)
        try:
            whole = resolve(compose([*words, *WITH_FOLDS]))
            return replace(read_rows(whole.data, cache, target_of(whole)), is_cut=False), True
        except DataError:
            raise refusal from None


def held_out_words(rows: Rows, settings: Settings, labelled: int, *, is_needed: bool) -> tuple[str, ...]:
    """Return the override by which a split that is cut off train has enough rows to select by; () if it has.

    is_needed: can none be cut off with the settings of the command?
    """
    is_own = settings.data.select_fraction != SELECT_FRACTION  # the command says otherwise
    if not is_needed and (not rows.is_cut or is_own or labelled >= SELECT_ROWS / SELECT_FRACTION):
        return ()
    return (f"data.select_fraction={SELECT_ROWS / labelled:.4f}",)


def goal_words(goal: str, task: Task) -> tuple[str, ...]:
    """Return the override by which epochs are selected by the goal; () if they are anyway."""
    if goal == task.metrics[0]:
        return ()
    return (f"data.metrics=[{','.join(dict.fromkeys((goal, *task.metrics)))}]",)
