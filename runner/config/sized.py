"""`train.recipe=sized`, the default: epochs, rate and warm-up by the number of training rows, from the model's YAML.

One entry of `model.recipe_by_rows` is the largest number of rows that it is for, then what one would type:
`rows=1500 train.epochs=20`. The first entry whose limit is not below the number of rows is taken; above the last the
model's own recipe holds. Nothing between two entries is interpolated. Nothing heavy is imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from models.compression.settings.learn import TaughtSettings
from models.views.settings import NONE
from runner.config.recipes import entry_problem, optimizer_of, target_of, with_recipe
from runner.schema import ScheduleSettings, Settings, TrainSettings
from runner.tasks import named_task

SIZED, PRESET = "sized", "preset"
ROWS, TABLE = "rows=", "model.recipe_by_rows"
ENCODERS = ("bert", "auto")  # families with a table in their YAML
BY_ROWS = (  # what an entry may set
    "optimizer.lr", "schedule.warmup", "train.epochs", "train.eval_every", "train.batch_size",
)  # fmt: skip
# Defaults of those that model.recipe does not have.
USUAL = {"schedule.warmup": ScheduleSettings().warmup, "train.eval_every": TrainSettings().eval_every}


def settle_table(settings: Settings, words: Sequence[str] | None) -> None:
    """Restrict `model.recipe_by_rows` to the settings that the command `words` leaves open; if none, recipe=preset.

    The table is not used with an optimizer for which its learning rates were not found, nor if the number of labelled
    rows does not determine how long training takes: with unlabelled texts, masked words, or two views. It is not used
    either if the command is unknown (None).
    """
    is_sized = settings.train.recipe == SIZED
    is_open = is_sized and words is not None and _is_for(settings)
    settings.model.recipe_by_rows = _open_table(settings, words or ()) if is_open else []
    if is_sized and not settings.model.recipe_by_rows:
        settings.train.recipe = PRESET


def _open_table(settings: Settings, words: Sequence[str]) -> list[str]:
    """Return the entries without the settings that the command or one of its files sets; [] if none is left."""
    recipe = settings.model.recipe
    usual = {"optimizer.lr": recipe.lr, "train.epochs": recipe.epochs, "train.batch_size": recipe.batch_size, **USUAL}
    given = {target_of(word) for word in words} | {key for key, now in _values(settings).items() if now != usual[key]}
    if settings.train.steps:
        given.add("train.epochs")
    if "train.epochs" in given or settings.train.patience or settings.schedule.name == "plateau":
        given.add("train.eval_every")  # patience and the plateau count evaluations
    table = settings.model.recipe_by_rows
    left = [" ".join(word for word in entry.split() if target_of(word) not in given) for entry in table]
    return left if any(not word.startswith(ROWS) for entry in left for word in entry.split()) else []


def _values(settings: Settings) -> dict[str, float]:
    """Return the present values of the settings that an entry may set."""
    train = settings.train
    return {
        "optimizer.lr": settings.optimizer.lr, "schedule.warmup": settings.schedule.warmup,
        "train.epochs": train.epochs, "train.eval_every": train.eval_every, "train.batch_size": train.batch_size,
    }  # fmt: skip


def _is_for(settings: Settings) -> bool:
    """Does the number of labelled rows determine how long training takes, with the optimizer that the table is for?"""
    named = named_task(settings.task, settings.data)
    reads_labels = (named is None or named.is_deployed) and settings.view.name == NONE  # pretraining is not deployed
    return reads_labels and not reads_more_texts(settings) and settings.optimizer.name == optimizer_of(settings)


def reads_more_texts(settings: Settings) -> bool:
    """Does a stage also learn from texts without labels, or from altered copies of the labelled ones?"""
    taught = [one for one in settings.compression.values() if isinstance(one, TaughtSettings)]
    return any(one.unlabelled or one.augment.model for one in taught)


def entry_for(table: Sequence[str], rows: int) -> str | None:
    """Return the first entry for that many training rows; None if there are more rows than the last entry is for."""
    return next((entry for entry in table if rows <= most_rows(entry)), None)


def most_rows(entry: str) -> int:
    """Return the largest number of training rows that an entry is for."""
    return int(entry.split()[0].removeprefix(ROWS))


def with_rows(settings: Settings, rows: int) -> tuple[Settings, list[str]]:
    """Return the settings of a run on that many training rows, and a note on those that the table sets.

    The settings equal those of a run whose command has the words of the entry, so both have the same identity. Settings
    without train.recipe=sized are returned unchanged.
    """
    if settings.train.recipe != SIZED:
        return settings, []
    table = settings.model.recipe_by_rows
    plain = replace(
        settings, model=replace(settings.model, recipe_by_rows=[]), train=replace(settings.train, recipe=PRESET)
    )
    entry = entry_for(table, rows)
    chosen = entry.partition(" ")[2] if entry else ""
    if not entry or not chosen:
        return plain, []
    now = _values(plain)
    usual = " ".join(f"{key}={now[key]:g}" for key in map(target_of, chosen.split()))
    return with_recipe(plain, chosen), [
        f"{chosen} for up to {most_rows(entry):,} training rows ({rows:,} here); train.recipe=preset has {usual}"
    ]


def table_conflicts(settings: Settings) -> list[str]:
    """Return one line for each mistake in the table of a command with train.recipe=sized, with the cure."""
    if settings.train.recipe != SIZED:
        return []
    table = settings.model.recipe_by_rows
    found = [problem for entry in table if (problem := _problem(entry))]
    if not found and any(most_rows(one) >= most_rows(other) for one, other in pairwise(table)):
        found.append(f"{TABLE}: the number of rows must increase from one entry to the next. Sort them")
    return list(dict.fromkeys(found))


def _problem(entry: str) -> str | None:
    """Return the mistake in one entry of the table."""
    first, *words = entry.split() or [""]
    count = first.removeprefix(ROWS)
    if not first.startswith(ROWS) or not count.isascii() or not count.isdigit() or int(count) < 1:
        return f"{TABLE}: {entry!r} has no number of rows. Write each entry as: rows=1000 train.epochs=20"
    return next((problem for word in words if (problem := entry_problem(word, TABLE, BY_ROWS))), None)
