"""`train.recipe=auto`: the list of settings in `model.recipes`, the part of it that a command leaves open, and its
mistakes.

One entry of the list is what one would type: `model.width=0.25 model.token_dropout=0.3 optimizer.lr=0.01`. Nothing
heavy is imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from models.compression.settings.stage import StageSettings
from models.setting_conflicts import contradictions
from models.settings import FITTED, FITTED_HEAD
from runner.config.check_values import check_type
from runner.config.compose import parsed
from runner.config.overrides import parse_override
from runner.schema import ROW_SGD, Settings
from runner.tasks import named_task

AUTO = "auto"
MOST = 12  # most settings that one search compares
# Settings that do not affect data or task, so that all entries of a search train on the same prepared splits.
CHOSEN = (
    "model.width", "model.dims", "model.hidden", "model.dropout", "model.token_dropout",
    "optimizer.lr", "optimizer.weight_decay", "schedule.warmup", "train.epochs", "train.batch_size",
)  # fmt: skip
WHOLE = ("model.dims", "model.hidden", "train.batch_size", "train.eval_every")  # those that are integers
PRESET = "model.recipe."  # model.recipe.lr is the default of optimizer.lr
EXAMPLES = {
    "model.recipes": "model.width=0.5 optimizer.lr=0.01",
    "model.recipe_by_rows": "rows=1000 train.epochs=20",
}
OF_PRESET = {"lr": "optimizer.lr", "epochs": "train.epochs", "batch_size": "train.batch_size"}


def open_recipes(recipes: Sequence[str], words: Sequence[str]) -> list[str]:
    """Return the distinct settings of the list, restricted to what the command `words` leaves open."""
    given = {target_of(word) for word in words}
    left = (" ".join(word for word in recipe.split() if word.partition("=")[0] not in given) for recipe in recipes)
    return [recipe for recipe in dict.fromkeys(left) if recipe]


def target_of(word: str) -> str:
    """Return the setting that a word decides: model.recipe.lr=1 sets optimizer.lr."""
    key = word.partition("=")[0].lstrip("+")
    return OF_PRESET.get(key.removeprefix(PRESET), key) if key.startswith(PRESET) else key


def with_recipe(settings: Settings, recipe: str) -> Settings:
    """Return the settings of a run that is trained by one entry of the list."""
    changes: dict[str, dict[str, Any]] = {group: {} for group in ("model", "optimizer", "schedule", "train")}
    for word in recipe.split():
        group, name = word.partition("=")[0].split(".")
        changes[group][name] = _typed(word)
    return replace(
        settings,
        model=replace(settings.model, **changes["model"]),
        optimizer=replace(settings.optimizer, **changes["optimizer"]),
        schedule=replace(settings.schedule, **changes["schedule"]),
        train=replace(settings.train, **changes["train"]),
    )


def _typed(word: str) -> object:
    """Return the value in one word as its setting holds it: 1 is 1.0 if numbers may have a fraction."""
    value: object = parsed(word).value()
    is_whole = word.partition("=")[0] in WHOLE
    return float(value) if isinstance(value, int) and not is_whole else value


def recipe_conflicts(settings: Settings) -> list[str]:
    """Return one line for each mistake in a command with train.recipe=auto, with the cure."""
    if settings.train.recipe != AUTO:
        return []
    recipes, model = settings.model.recipes, settings.model.name
    if problem := _no_such_training(settings):
        return [problem]
    if not recipes:
        return [
            f"train.recipe={AUTO}: model={model} has no settings to choose from (model.recipes), or this command names "
            "all of them. Try: train.recipe=preset, or model=dsn, static or ngram-vectors"
        ]
    found = [problem for recipe in recipes for word in recipe.split() if (problem := entry_problem(word))]
    if not 1 < len(recipes) <= MOST:
        found.append(f"train.recipe={AUTO}: model.recipes has {len(recipes)} settings, but 2 to {MOST} are compared")
    is_searched = {word.partition("=")[0] for recipe in recipes for word in recipe.split()}
    if settings.train.steps and "train.epochs" in is_searched:
        found.append(
            f"train.steps={settings.train.steps} sets the length of training, but train.recipe={AUTO} chooses its "
            "epochs. Try: train.steps=null, or train.recipe=preset"
        )
    if "optimizer.lr" in is_searched and settings.optimizer.name != optimizer_of(settings):
        found.append(
            f"optimizer={settings.optimizer.name}: the rates in model.recipes are for {optimizer_of(settings)}. "
            f"Try: optimizer={optimizer_of(settings)}, or give the rate too: optimizer.lr=<rate>"
        )
    first: StageSettings | None = next(iter(settings.compression.values()), None)
    if first and first.replaces_training and not settings.finished:
        name = next(iter(settings.compression))
        found.append(
            f"train.recipe={AUTO} chooses by training on labels, but compression={name} has its own training. "
            "Try: train.recipe=preset, with the settings that a run of train.recipe=auto chose"
        )
    return list(dict.fromkeys(found)) or _model_conflicts(settings)


def _no_such_training(settings: Settings) -> str | None:
    """Return a line if the run does not train its model on labels by gradient steps, as the search would."""
    model = settings.model
    if model.family in FITTED:
        return (
            f"train.recipe={AUTO} compares trainings by gradient steps, but model={model.name} is fitted in one pass. "
            "Try: train.recipe=preset, or model=ngram-vectors"
        )
    if model.head != FITTED_HEAD:
        return None
    given = f"model.head={FITTED_HEAD} fits only the last layer"
    if model.pairs != "none":
        given = f"model.pairs={model.pairs} tunes the encoder on pairs"
    return f"train.recipe={AUTO} compares trainings on labels, but {given}. Try: train.recipe=preset, or model=dsn"


def _model_conflicts(settings: Settings) -> list[str]:
    """Return one line for each entry whose model contradicts itself or the task.

    A word in the command overrides an entry's.
    """
    task = named_task(settings.task, settings.data)
    reads = task.reads if task else "text"
    known = contradictions(settings.model, reads)
    models = [with_recipe(settings, recipe).model for recipe in settings.model.recipes]
    found = [f"model.recipes: {one}" for model in models for one in contradictions(model, reads) if one not in known]
    return list(dict.fromkeys(found))[:1]


def optimizer_of(settings: Settings) -> str:
    """Return the optimizer for which the learning rates in the YAML of the model's family were found."""
    return ROW_SGD if settings.model.family == "ngram_vectors" else "adamw"


def entry_problem(word: str, where: str = "model.recipes", known: Sequence[str] = CHOSEN) -> str | None:
    """Return the mistake in one word of an entry of the list `where`, whose words may set `known`."""
    key, (override, problem) = word.partition("=")[0], parse_override(word)
    if key not in known:
        problem = f"{word} is not one of {', '.join(known)}. Write each entry as: {EXAMPLES[where]}"
    elif override:
        problem = check_type(key, override.value())
    return f"{where}: {problem}" if problem else None
