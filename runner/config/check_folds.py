"""Refuses settings of cross-validation that contradict each other, or need selection rows that a run does not have."""

from __future__ import annotations

from data.settings import ALL_FOLDS
from runner.config.recipes import AUTO
from runner.schema import Settings
from runner.tasks import named_task


def fold_conflicts(settings: Settings) -> list[str]:
    """Return one line for a fold that does not exist, and for settings that need rows kept out of training."""
    folds, fold = settings.data.folds, settings.data.fold
    if settings.data.fold_column is not None:
        return own_fold_conflicts(settings) or _without_selection(settings)
    if folds is None:
        return [] if fold is None else [f"data.fold={fold} needs the number of folds. Try: data.folds=5"]
    last = f"0 to {folds - 1}, or {ALL_FOLDS} to train on every row"
    if fold is None:
        return [f"data.folds={folds} needs the fold to select on: data.fold={last}. Try: data.fold=0"]
    if fold != ALL_FOLDS and fold not in map(str, range(folds)):
        return [f"data.fold={fold}: must be {last}. Try: data.fold=0"]
    return _without_selection(settings)


def _without_selection(settings: Settings) -> list[str]:
    """Return one line for each setting that needs selection rows although every row is trained on."""
    if settings.data.fold != ALL_FOLDS:
        return []
    return [
        f"data.fold={ALL_FOLDS} leaves no validation rows, which are needed to {what}. Try: {cure}"
        for what, cure, is_wanted in (
            ("stop early", "train.patience=null", settings.train.patience is not None),
            ("lower the rate", "schedule=linear", settings.schedule.name == "plateau"),
            ("choose a recipe", "train.recipe=preset", settings.train.recipe == AUTO),
            ("weight n-grams against the network", "model.add=none, or data.fold=0", settings.model.add != "none"),
        )
        if is_wanted
    ]


def own_fold_conflicts(settings: Settings) -> list[str]:
    """Return settings that contradict the folds that a data set defines in a column."""
    data, task = settings.data, named_task(settings.task, settings.data)
    named = f"data.fold_column={data.fold_column}"
    if task and (task.input != "text" or not task.needs_label):
        return [f"{named}: the task {task.name} has no such folds. Try: data.fold_column=null data.fold=null"]
    if data.folds is not None:
        return [f"{named} gives the folds, but data.folds={data.folds} asks for others. Try: data.folds=null"]
    if data.fold is None:
        return [f"{named} needs the value whose rows are the test split. Try: data.fold=1, or data.fold={ALL_FOLDS}"]
    if data.source not in ("hub", "files"):
        return [f"{named}: data={data.name} has no such column. Leave it out"]
    splits = {"select_split": data.select_split, "val_path": data.val_path, "test_path": data.test_path}
    given = [f"data.{key}" for key, value in (splits | {"report_splits": data.report_splits}).items() if value]
    return [f"{named} takes test and val from the training rows, but {key} names others. Leave it out" for key in given]
