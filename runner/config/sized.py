"""`train.recipe=sized`: rate, epochs and warm-up by the number of training rows, from a table in the model's YAML.

One entry of `model.recipe_by_rows` is the largest number of rows that it is for, then what one would type:
`rows=1000 train.epochs=20 optimizer.lr=0.001`. The first entry whose limit is not below the number of rows is taken,
whole; above the last the model's own recipe holds. Nothing between two entries is interpolated. Nothing heavy is
imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from runner.config.recipes import entry_problem, optimizer_of, target_of, with_recipe
from runner.schema import Settings

SIZED, PRESET = "sized", "preset"
ROWS = "rows="
BY_ROWS = ("optimizer.lr", "schedule.warmup", "train.epochs", "train.batch_size")  # what an entry may set
BACKBONE = "model/backbone"  # another optimizer than the preset's needs other rates


def open_table(table: Sequence[str], words: Sequence[str]) -> list[str]:
    """Return the entries without what the command `words` names; [] where it names all, or another backbone."""
    given = {target_of(word) for word in words}
    if BACKBONE in given:
        return []
    if "train.steps" in given:
        given.add("train.epochs")
    left = [" ".join(word for word in entry.split() if target_of(word) not in given) for entry in table]
    return left if any(not word.startswith(ROWS) for entry in left for word in entry.split()) else []


def entry_for(table: Sequence[str], rows: int) -> str | None:
    """Return the first entry for that many training rows; None if there are more rows than the last entry is for."""
    return next((entry for entry in table if rows <= most_rows(entry)), None)


def most_rows(entry: str) -> int:
    """Return the largest number of training rows that an entry is for."""
    return int(entry.split()[0].removeprefix(ROWS))


def with_rows(settings: Settings, rows: int) -> tuple[Settings, list[str]]:
    """Return the settings of a run on that many training rows, and a note on where they come from.

    They equal those of a run whose command has the words of the entry, so both have the same identity. Settings without
    train.recipe=sized are returned unchanged, without a note.
    """
    if settings.train.recipe != SIZED:
        return settings, []
    table, name = settings.model.recipe_by_rows, settings.model.name
    plain = replace(
        settings, model=replace(settings.model, recipe_by_rows=[]), train=replace(settings.train, recipe=PRESET)
    )
    entry = entry_for(table, rows)
    if entry is None:
        why = f"its table ends at {most_rows(table[-1]):,}" if table else "there is no table by rows for this command"
        return plain, [f"recipe for {rows:,} training rows: the preset of model={name}, because {why}"]
    chosen = entry.partition(" ")[2]
    return with_recipe(plain, chosen), [
        f"recipe for up to {most_rows(entry):,} training rows ({rows:,} here): {chosen or 'as named in the command'}"
    ]


def table_conflicts(settings: Settings) -> list[str]:
    """Return one line for each mistake in the table of a command with train.recipe=sized, with the cure."""
    if settings.train.recipe != SIZED:
        return []
    table = settings.model.recipe_by_rows
    found = [problem for entry in table if (problem := _problem(entry))]
    if not found and any(most_rows(one) >= most_rows(other) for one, other in pairwise(table)):
        found.append("model.recipe_by_rows: the number of rows must increase from one entry to the next. Sort them")
    has_rates = any(f" {BY_ROWS[0]}=" in entry for entry in table)
    if has_rates and settings.optimizer.name != optimizer_of(settings):
        found.append(
            f"optimizer={settings.optimizer.name}: the rates in model.recipe_by_rows are for "
            f"{optimizer_of(settings)}. Try: optimizer={optimizer_of(settings)}, or give the rate too: "
            "optimizer.lr=<rate>"
        )
    return list(dict.fromkeys(found))


def _problem(entry: str) -> str | None:
    """Return the mistake in one entry of the table."""
    first, *words = entry.split() or [""]
    count = first.removeprefix(ROWS)
    if not first.startswith(ROWS) or not count.isascii() or not count.isdigit() or int(count) < 1:
        return f"model.recipe_by_rows: {entry!r} has no number of rows. Write each entry as: rows=1000 train.epochs=20"
    return next((problem for word in words if (problem := entry_problem(word, "model.recipe_by_rows", BY_ROWS))), None)
