"""Groups runs on the folds of one data set as repeats of one recipe, and scores them together.

Their training rows overlap, so a t test or interval over folds as if they were seeds is wrong in 40-50 % of cases;
`runner/statistics/resampled.py` has the corrected one. Seeds within a fold are averaged first. With random folds
(data.folds) the rows held out are selection rows; with folds that a data set defines (data.fold_column) they are
reported.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from data.calibration import FOLDS
from data.json_types import JsonObject
from data.settings import ALL_FOLDS
from runner.compare.select import Run
from runner.errors import ConfigError
from runner.record.pooling import Part, pooled
from runner.record.predictions import read_predictions, read_source_rows
from runner.record.run_names import settings_of
from runner.statistics.answers import Answers
from runner.statistics.paired import Interval
from runner.statistics.resampled import corrected_t
from runner.tasks.make import task_of_record

Fold = tuple[int, int | str]  # data.fold_seed and data.fold, which may be a text if a column has it
LIMIT = "data.max_eval_rows"  # how many rows are reported; a fold of data.folds keeps all of its own
OF_FOLD = ("data.fold", "data.fold_seed")  # settings in which repeats of one recipe differ


def is_fold(run: Run) -> bool:
    """Did the run hold out one of several folds, and train on the others?"""
    settings = _data_settings(run)
    has_folds = settings.get("folds") is not None or has_own_folds(run)
    return has_folds and settings.get("fold") != ALL_FOLDS


def has_own_folds(run: Run) -> bool:
    """Are the folds defined by a column of the data set, each being the reported split of one run?"""
    return _data_settings(run).get("fold_column") is not None


def fold_of(run: Run) -> Fold:
    """Return which fold a run held out."""
    settings = _data_settings(run)
    fold = str(settings["fold"])
    return int(settings.get("fold_seed") or 0), int(fold) if fold.isdecimal() else fold


def _data_settings(run: Run) -> JsonObject:
    """Return the settings of the data by their names without `data.`; asked for thousands of runs, many times each."""
    return run.record.config.get("data") or {}


def recipe_settings(run: Run) -> JsonObject:
    """Return all but the seed, and the fold, that the result of a run depends on, flat.

    The rows of train and of the fold differ between runs, and so does a vocabulary built from the training rows; only
    the reported rows are the same in all.
    """
    settings, data = settings_of(run.record), run.record.data
    if not is_fold(run):
        return settings
    is_from_rows = settings.get("model.tokenizer") == "train" or settings.get("model.vocabulary", "full") != "full"
    dropped = (*OF_FOLD, *(("tokenizer.fingerprint", "weights.fingerprint") if is_from_rows else ()))
    own = {"train", held_out_split(run), *([_selecting_split(run)] if has_own_folds(run) else [])}
    shared: list[Any] = sorted((split, found) for split, found in data.fingerprints.items() if split not in own)
    if has_own_folds(run) and not {settings.get("data.max_rows"), settings.get(LIMIT)} - {None}:
        shared = [sum(data.rows.values())]  # no split is the same for all folds, but together they contain all rows
    digest = hashlib.sha256(json.dumps(shared).encode()).hexdigest()
    return {key: value for key, value in settings.items() if key not in dropped} | {"data.fingerprint": digest[:8]}


def held_out_split(run: Run) -> str:
    """Return the name of the split with the rows held out: the one that selects, or of own folds the reported one."""
    return run.primary.partition("/")[0] if has_own_folds(run) else _selecting_split(run)


def _selecting_split(run: Run) -> str:
    """Return the name of the selection split."""
    return (run.record.data.selection or "").partition("/")[0]


def held_out_metric(run: Run) -> str:
    """Return the headline score on the rows held out, such as val/accuracy."""
    if has_own_folds(run):
        return run.primary
    selection = run.record.data.selection or run.primary
    held = f"{held_out_split(run)}/{run.primary.partition('/')[2]}"
    return held if held in run.metrics else selection


def by_fold(runs: Iterable[Run]) -> dict[Fold, dict[int, Run]]:
    """Return the runs of each fold by seed, in the order of repeats, folds and seeds."""
    found: dict[Fold, dict[int, Run]] = {}
    for run in sorted(runs, key=_place):
        found.setdefault(fold_of(run), {})[run.seed] = run
    return found


def _place(run: Run) -> tuple[int, bool, int | str, int]:
    """Return a sort key of a run: repeat, fold (numbers before texts) and seed."""
    repeat, fold = fold_of(run)
    return repeat, isinstance(fold, str), fold, run.seed


def held_out_share(runs: Sequence[Run]) -> float:
    """Return the rows held out by the rows trained on: 1 / (k - 1) for k folds, else that of the folds together."""
    if has_own_folds(runs[0]):
        held, trained = (
            sum(run.record.data.rows[split] for run in runs) for split in (held_out_split(runs[0]), "train")
        )
        return held / trained
    return 1.0 / (int(_data_settings(runs[0])["folds"]) - 1)


def labelled_rows(run: Run) -> int:
    """Return how many rows a run trains on and holds out together."""
    rows = run.record.data.rows
    return rows["train"] + rows[held_out_split(run)]


def reports_the_rows_of(first: Run, run: Run, metric: str) -> bool:
    """Can this metric be averaged with that of `first`? Not if it is of reported rows, and these differ."""
    split, prints = metric.partition("/")[0], run.record.data.fingerprints
    if has_own_folds(run) or split in ("train", held_out_split(run)) or split not in prints:
        return True
    return prints[split] == first.record.data.fingerprints.get(split)


def fold_interval(values: list[float], runs: Sequence[Run]) -> Interval | None:
    """Return the corrected 95 % interval of the mean of one score a fold; None for one fold, or without scatter.

    runs: of the group, which say how many rows are held out.
    """
    found = corrected_t(values, held_out_share(runs))
    return Interval(found.low, found.high, f"corrected t over {len(values)} folds") if found else None


def held_out_answers(runs: Mapping[Fold, Run], split: str) -> tuple[Answers, ...] | str:
    """Return the answers to all rows held out, one for each repeat, in the order of the rows; or why there are none.

    runs: one for each fold. Repeats that lack a fold of another repeat do not answer the same rows: only the most
    complete ones count.
    """
    repeats: dict[int, dict[int | str, Part]] = {}
    for (repeat, fold), run in runs.items():
        answers = read_predictions(run.folder, split, run.record, run.cache)
        if answers is None:
            return f"run {run.identity} (fold {fold}) has no readable predictions-{split}.parquet"
        repeats.setdefault(repeat, {})[fold] = (answers, read_source_rows(run.folder, split))
    most = max(map(len, repeats.values()))
    wanted = _data_settings(next(iter(runs.values()))).get("folds")
    is_complete = wanted is None or most == int(wanted)
    kept = [list(parts.values()) for parts in repeats.values() if len(parts) == most]
    try:
        return pooled(kept if is_complete else kept[:1])  # incomplete ones held out other rows
    except ConfigError as error:
        return str(error)


def scores_over_all(runs: list[Run], metric: str) -> tuple[int, list[float]] | None:
    """Return how many rows the folds hold out together, and the score of all of them as one set, one for each seed.

    None if answers are missing, or the metric is not of the rows held out.
    """
    split, _, name = metric.partition("/")
    scores, folds = task_of_record(runs[0].record).scores, by_fold(runs)
    if split != held_out_split(runs[0]) or name not in scores:
        return None
    found, rows = [], 0
    for seed in sorted(set.intersection(*(set(of_seeds) for of_seeds in folds.values()))):
        answers = held_out_answers({fold: of_seeds[seed] for fold, of_seeds in folds.items()}, split)
        if isinstance(answers, str):
            return None
        rows = len(answers[0])
        found.append(scores[name].value(answers[0]))
    return (rows, found) if found else None


def note_over_all(name: str, runs: list[Run], metric: str) -> str | None:
    """Return one line with the score over all rows that the own folds of a data set hold out; None without it.

    name: of the group of these runs.
    """
    found = scores_over_all(runs, metric) if has_own_folds(runs[0]) else None
    if found is None:
        return None
    rows, values = found
    of_seeds = f", mean of {len(values)} seeds" if len(values) > 1 else ""
    return f"folds: {name}: {metric} over all {rows:,} rows held out, each answered once: {fmean(values):.4f}{of_seeds}"


def _own_advice(runs: list[Run]) -> list[str]:
    """Return notes on folds that a data set defines."""
    rows = {fold: next(iter(of_seeds.values())).record.data.rows for fold, of_seeds in by_fold(runs).items()}
    held, total = (
        sum(of[held_out_split(runs[0])] for of in rows.values()),
        max(sum(of.values()) for of in rows.values()),
    )
    if held >= total:
        return []
    return [f"folds: {total - held:,} of {total:,} rows are never held out. Try: further values of data.fold"]


def advice(runs: list[Run]) -> list[str]:
    """Return notes to read before the scores of one recipe over folds are trusted."""
    if has_own_folds(runs[0]):
        return _own_advice(runs)
    folds, wanted = by_fold(runs), int(_data_settings(runs[0])["folds"])
    repeats, seeds = len({repeat for repeat, _ in folds}), max(map(len, folds.values()))
    found = [
        "folds: scores are on held-out rows, which also chose epochs and penalties, for every recipe alike; the "
        f"reported rows are untouched (--metric {runs[0].primary} shows them)"
    ]
    if missing := repeats * wanted - len(folds):
        found.append(f"folds: {missing} of {repeats * wanted} are missing, so some rows were never held out")
    if repeats < 5:
        more = (5 - repeats) * wanted * seeds
        found.append(
            f"folds: {repeats} x {wanted} folds have little power under the correction. 5 x {wanted} are advised, "
            f"{more} more runs per recipe: data.fold_seed=0,1,2,3,4"
        )
    if not missing and task_of_record(runs[0].record).has_probabilities:
        found.append(
            f"folds: for a model to deploy, trained on all rows and calibrated by such runs: data.fold={ALL_FOLDS} "
            f"data.calibration={FOLDS}"
        )
    return found


def text_of(settings: JsonObject, runs: list[Run]) -> str:
    """Return how many repeats of how many folds the runs are, such as 5 x 5."""
    found = by_fold(runs)
    if has_own_folds(runs[0]):
        return str(len(found))
    repeats = len({repeat for repeat, _ in found})
    whole = repeats * int(settings["data.folds"])
    return f"{repeats} x {settings['data.folds']}" if len(found) == whole else f"{len(found)} of {whole}"
