"""Refuses calibration rows (data.calibration) that cannot exist, or that nothing would use."""

from __future__ import annotations

from data.calibration import CALIBRATION, FOLDS, calibration_file, calibration_hub_split, calibration_share
from data.settings import ALL_FOLDS, DataSettings, split_names
from data.sources.hub_splits import hub_splits
from models.views.settings import NONE
from runner.record.calibration import OFF
from runner.schema import Settings
from runner.tasks import named_task

MOST = 0.9  # share of the training rows


def calibration_conflicts(settings: Settings) -> list[str]:
    """Return one line for each mistake in data.calibration or in a setting that contradicts it, with the cure."""
    data = settings.data
    if data.calibration is None:
        return []
    named, task = f"data.calibration={data.calibration}", named_task(settings.task, data)
    if task and not (task.has_probabilities or task.has_label_sets):
        return [f"{named}: nothing is calibrated for task={task.name}. Leave it out"]
    if settings.calibration == OFF and not (task and task.has_label_sets):
        return [f"{named} sets rows aside, but calibration={OFF} leaves them unused. Leave one of them out"]
    if data.calibration == FOLDS:
        return _of_folds(settings)
    share = calibration_share(data)
    if share is not None and not 0 < share <= MOST:
        return [f"{named}: a share of the training rows must be above 0 and at most {MOST}. Try: data.calibration=0.1"]
    if data.audio is not None and calibration_file(data):
        return [f"{named} is a file of texts, but data.audio={data.audio} gives sounds. Try: data.calibration=0.1"]
    return _of_a_split(data, named)


def _of_folds(settings: Settings) -> list[str]:
    """Return why the runs of the folds cannot calibrate this one, with the cure."""
    data, named = settings.data, f"data.calibration={FOLDS}"
    if data.fold_column is not None:
        return [f"{named} is for the folds of data.folds, not of data.fold_column. Try: data.calibration=0.1"]
    if data.folds is None or data.fold != ALL_FOLDS:
        folds = data.folds or 5
        return [
            f"{named}: fold runs calibrate a model trained on all rows. Try: data.folds={folds} data.fold={ALL_FOLDS}"
        ]
    aside = "Try: data.calibration=0.1, which sets rows aside"
    found = [
        f"{named}: {name} {stage.not_on_folds}, so the fold models do not represent this one. {aside}"
        for name, stage in settings.compression.items()
        if stage.not_on_folds
    ]
    if settings.finished:
        found.append(f"{named}: the model of from= may have been trained on the held-out rows of a fold. {aside}")
    if settings.view.name != NONE:
        found.append(f"{named}: view={settings.view.name} is tuned on rows held out from training. {aside}")
    if data.labelled_rows is not None:
        rows = f"data.labelled_rows=null data.max_rows={data.labelled_rows}"
        found.append(f"{named} reads the labels of all rows, but data.labelled_rows hides some. Try: {rows}")
    return found


def _of_a_split(data: DataSettings, named: str) -> list[str]:
    """Return one line if the named split does not exist, or is used for something else."""
    split = calibration_hub_split(data)
    if split is None:
        return []
    if data.source != "hub":
        return [f"{named} names a split of a hub dataset, but data={data.name} has none. Try: data.calibration=0.1"]
    used = {"train": "used to train", split_names(data)[0]: "used to select"}
    others = {name: of for name, of in hub_splits(data).items() if name != CALIBRATION}
    return [
        f"{named}: this split is {used.get(name, 'reported')}. Try: data.calibration=0.1, or another split"
        for name, of in others.items()
        if of == split
    ]
