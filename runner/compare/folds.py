"""Runs on the folds of one data set are repeats of one recipe: what they share, and what all of them say together.

Their training rows overlap, so a t test or interval over folds as if they were seeds is wrong in 40-50 % of cases;
`runner/statistics/resampled.py` has the corrected one. Seeds within a fold are averaged first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from data.settings import ALL_FOLDS
from runner.compare.select import Run
from runner.errors import ConfigError
from runner.record.pooling import Part, pooled
from runner.record.predictions import read_predictions, read_source_rows
from runner.record.run_names import settings_of
from runner.statistics.answers import Answers
from runner.statistics.paired import Interval
from runner.statistics.resampled import corrected_t

Fold = tuple[int, int]  # data.fold_seed and data.fold
OF_FOLD = ("data.fold", "data.fold_seed")  # settings in which repeats of one recipe differ


def is_fold(run: Run) -> bool:
    """Was the run selected by one of several folds, and trained on the others?"""
    settings = _data_settings(run)
    return settings.get("folds") is not None and settings.get("fold") != ALL_FOLDS


def fold_of(run: Run) -> Fold:
    """Return which fold a run held out."""
    settings = _data_settings(run)
    return int(settings.get("fold_seed") or 0), int(settings["fold"])


def _data_settings(run: Run) -> Mapping[str, Any]:
    """The settings of the data by their names without `data.`; asked for thousands of runs, many times each."""
    return run.record.config.get("data") or {}


def recipe_settings(run: Run) -> dict[str, Any]:
    """Return all but the seed, and the fold, that the result of a run depends on, flat.

    The rows of train and of the fold are other ones in each run, and so is a vocabulary that comes from the training
    rows; of the data the reported rows are the same in all.
    """
    settings, data = settings_of(run.record), run.record.data
    if not is_fold(run):
        return settings
    is_from_rows = settings.get("model.tokenizer") == "train" or settings.get("model.vocabulary", "full") != "full"
    dropped = (*OF_FOLD, *(("tokenizer.fingerprint", "weights.fingerprint") if is_from_rows else ()))
    own = {"train", selection_split(run)}
    reported = sorted((split, found) for split, found in data.fingerprints.items() if split not in own)
    digest = hashlib.sha256(json.dumps(reported).encode()).hexdigest()
    return {key: value for key, value in settings.items() if key not in dropped} | {"data.fingerprint": digest[:8]}


def selection_split(run: Run) -> str:
    """Return the name of the split that selects; of folds, the rows held out."""
    return (run.record.data.selection or "").partition("/")[0]


def held_out_metric(run: Run) -> str:
    """Return the headline score on the rows held out, such as val/accuracy."""
    selection = run.record.data.selection or run.primary
    held = f"{selection_split(run)}/{run.primary.partition('/')[2]}"
    return held if held in run.metrics else selection


def by_fold(runs: Iterable[Run]) -> dict[Fold, dict[int, Run]]:
    """Return the runs of each fold by seed, in the order of repeats, folds and seeds."""
    found: dict[Fold, dict[int, Run]] = {}
    for run in sorted(runs, key=lambda run: (fold_of(run), run.seed)):
        found.setdefault(fold_of(run), {})[run.seed] = run
    return found


def held_out_share(run: Run) -> float:
    """Return the rows held out by the rows trained on: 1 / (k - 1) for k folds."""
    return 1.0 / (int(_data_settings(run)["folds"]) - 1)


def fold_interval(values: list[float], run: Run) -> Interval | None:
    """Return the corrected 95 % interval of the mean of one score a fold; None for one fold, or without scatter.

    run: one of the runs, which says how many folds there are.
    """
    found = corrected_t(values, held_out_share(run))
    return Interval(found.low, found.high, f"corrected t over {len(values)} folds") if found else None


def held_out_answers(runs: Mapping[Fold, Run], split: str) -> tuple[Answers, ...] | str:
    """Return the answers to all rows held out, one for each repeat, in the order of the rows; or why there are none.

    runs: one for each fold. Repeats that lack a fold that another has do not answer the same rows: then the most
    complete ones count.
    """
    repeats: dict[int, dict[int, Part]] = {}
    for (repeat, fold), run in runs.items():
        answers = read_predictions(run.folder, split, run.record)
        if answers is None:
            return f"run {run.identity} (fold {fold}) has no readable predictions-{split}.parquet"
        repeats.setdefault(repeat, {})[fold] = (answers, read_source_rows(run.folder, split))
    most = max(map(len, repeats.values()))
    is_complete = most == int(_data_settings(next(iter(runs.values())))["folds"])
    kept = [list(parts.values()) for parts in repeats.values() if len(parts) == most]
    try:
        return pooled(kept if is_complete else kept[:1])  # incomplete ones held out other rows
    except ConfigError as error:
        return str(error)


def advice(runs: list[Run]) -> list[str]:
    """Return what to know about the folds of one recipe before its scores are believed."""
    folds, wanted = by_fold(runs), int(_data_settings(runs[0])["folds"])
    repeats, seeds = len({repeat for repeat, _ in folds}), max(map(len, folds.values()))
    found = [
        "folds: scores are of the rows held out, which also chose epochs and penalties, for every recipe alike; the "
        f"reported rows are untouched (--metric {runs[0].primary} shows them)"
    ]
    if missing := repeats * wanted - len(folds):
        found.append(f"folds: {missing} of {repeats * wanted} are missing, so some rows were never held out")
    if repeats < 5:
        more = (5 - repeats) * wanted * seeds
        found.append(
            f"folds: {repeats} x {wanted} folds have little power under the correction. 5 x {wanted} are advised, "
            f"{more} further runs a recipe: data.fold_seed=0,1,2,3,4"
        )
    return found


def text_of(settings: Mapping[str, Any], runs: list[Run]) -> str:
    """Return how many repeats of how many folds the runs are, such as 5 x 5."""
    found = by_fold(runs)
    repeats = len({repeat for repeat, _ in found})
    whole = repeats * int(settings["data.folds"])
    return f"{repeats} x {settings['data.folds']}" if len(found) == whole else f"{len(found)} of {whole}"
