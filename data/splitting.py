"""Seeded, stratified sampling of rows: splits that a dataset lacks are cut off train.

A cut leaves at least one training row of every class, and rows of one group always stay together.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from data.calibration import CALIBRATION, calibration_share
from data.counted import counted
from data.errors import CutTooSmall, DataError
from data.groups import STAYS
from data.iterative import cut_sets
from data.json_types import JsonObject
from data.settings import DataSettings, split_names
from data.sources.raw import TEXTS, RawData

GRID = [*range(1, 21), 25, 30, 33, 40, 50, 60, 70, 80, 90]  # percentages that an error message may suggest
SHOWN = 5  # classes named in a message


def rows_per_class(sizes: np.ndarray, count: int, leave: int = 0) -> np.ndarray:
    """Divide `count` rows among the classes in proportion to size (largest remainders), at least one each if possible.

    sizes: (C,) rows of each class; leave: rows of each class that must not be drawn; other classes make up for them.
    """
    exact = sizes * (count / sizes.sum())
    wanted = np.floor(exact).astype(int)
    if count >= len(sizes):
        wanted = np.maximum(wanted, 1)
    for index in np.argsort(-(exact - np.floor(exact)), kind="stable"):
        if wanted.sum() >= count:
            break
        wanted[index] += 1
    while wanted.sum() > count:
        wanted[np.argmax(wanted)] -= 1
    most = np.maximum(sizes - leave, 0)
    wanted = np.minimum(wanted, most)
    while wanted.sum() < min(count, most.sum()):
        wanted[np.argmax(most - wanted)] += 1
    return wanted


def pick_rows(rows: int, count: int, seed: int, strata: np.ndarray | None = None, leave: int = 0) -> np.ndarray:
    """Draw `count` of `rows` row numbers, sorted.

    strata: (rows,) class of each row; each class keeps its share, as in `rows_per_class`, which explains `leave`.
    """
    random = np.random.default_rng(seed)
    if count >= rows:
        return np.arange(rows)
    if strata is None:
        return np.sort(random.permutation(rows)[:count])
    classes, inverse, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    wanted = rows_per_class(sizes, count, leave)
    chosen = [random.permutation(np.flatnonzero(inverse == i))[: wanted[i]] for i in range(len(classes))]
    return np.sort(np.concatenate(chosen))


def cut_rows(
    rows: int, count: int, seed: int, strata: np.ndarray | None = None, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return row numbers as (the rest, the `count` cut off), both sorted; the rest has a row of every class.

    strata: (rows,) class of each row; class shares are kept. groups: (rows,) rows with the same number stay together,
    and those of STAYS stay in the rest; only about `count` rows are then cut off.
    """
    if groups is None:
        taken = pick_rows(rows, count, seed, strata, leave=1)
    else:
        taken = _pick_groups(np.zeros(rows, np.int64) if strata is None else strata, count, seed, groups)
    return np.setdiff1d(np.arange(rows), taken, assume_unique=True), taken


def _pick_groups(labels: np.ndarray, count: int, seed: int, groups: np.ndarray) -> np.ndarray:
    """Draw whole groups with about `count` rows in total; return the row numbers, sorted.

    Groups are tried in random order; one is taken if it brings the classes closer to their shares and leaves a row of
    every class in train. Rows of the group STAYS are not drawn.
    """
    _, inverse, left = np.unique(labels, return_inverse=True, return_counts=True)
    wanted = rows_per_class(left, count, leave=1)
    order = np.argsort(groups, kind="stable")
    order = order[groups[order] != STAYS]
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    taken = [np.zeros(0, dtype=np.int64)]
    for index in np.random.default_rng(seed).permutation(len(members)):
        if not (wanted > 0).any():
            break
        classes, rows = np.unique(inverse[members[index]], return_counts=True)
        is_closer = np.abs(wanted[classes] - rows).sum() < np.abs(wanted[classes]).sum()
        if is_closer and (left[classes] > rows).all():
            wanted[classes] -= rows
            left[classes] -= rows
            taken.append(members[index])
    return np.sort(np.concatenate(taken))


def apply_split_rule(data: RawData, settings: DataSettings) -> tuple[str, list[str]]:
    """Cut missing splits off train; return the name of the validation split and those of the reported splits.

    The cuts are seeded and stratified. With data.folds the validation split is a fold and is not cut here. Raises
    DataError if train has too few rows.
    """
    select, report = split_names(settings)
    one = settings.source == "files" or settings.split is not None
    wanted = (["test"] if one else []) + ([select] if settings.folds is None else [])
    wanted += [CALIBRATION] if calibration_share(settings) is not None else []
    missing = [name for name in wanted if name not in data.splits]
    _check(data, missing, settings)
    is_grouped = data.target.groups(data.splits["train"].labels) is not None  # data.group says what belongs together
    if not (missing or is_grouped) and settings.folds is None and (settings.group or settings.duplicates == "group"):
        what = f"data.group={settings.group}" if settings.group else "data.duplicates=group"
        data.notes.append(f"{what} changes nothing here: no split is cut off train")
    for name in missing:
        _cut_off(data, name, settings)
    return select, report


def _cut_off(data: RawData, name: str, settings: DataSettings) -> None:
    """Cut one split off train."""
    train, strata = data.splits["train"], data.strata("train")
    count = _count(name, len(train), settings)
    if (members := data.target.members(train.labels)) is not None:
        kept, taken = cut_sets(members, count, settings.split_seed, train.groups)
    else:
        kept, taken = cut_rows(len(train), count, settings.split_seed, strata, train.groups)
    if not len(taken):
        raise DataError(
            f"`{name}` cannot be cut off train ({counted(len(train), 'row')}): each group is too large or holds the "
            f"only rows of a class. Try: {_without_groups(settings)}; or {_other_ways(settings)}"
        )
    data.splits["train"], data.splits[name] = train.take(kept), train.take(taken)
    if 2 * len(taken) < count:
        data.notes.append(
            f"{name} has {counted(len(taken), 'row')}, fewer than the {count:,} wanted: other groups of rows that stay "
            f"in one split are too large. Without groups: {_without_groups(settings)}"
        )
    if strata is not None and len(lost := np.setdiff1d(strata, strata[taken])):
        data.notes.append(f"{name} has no row of {_named(data, lost)}: train has too few to cut one off")


def _named(data: RawData, classes: np.ndarray) -> str:
    """List the names of the first of these classes."""
    names = [repr(data.target.names[int(label)]) for label in classes[:SHOWN]]
    return ", ".join(names) + (f" and {len(classes) - SHOWN} more classes" if len(classes) > SHOWN else "")


def _count(name: str, rows: int, settings: DataSettings) -> int:
    """Return how many of train's `rows` to cut off for a split."""
    if name == "test":
        return round(rows * settings.test_fraction)
    if name == CALIBRATION:
        return round(rows * (calibration_share(settings) or 0.0))
    return min(round(rows * settings.select_fraction), settings.select_max_rows)


def _obstacle(sizes: np.ndarray, names: list[str], settings: DataSettings) -> tuple[str, int, np.ndarray] | None:
    """Return the first cut that train is too small for, its number of rows, and train's class sizes before that cut."""
    for name in names:
        count = _count(name, int(sizes.sum()), settings)
        if not _least(sizes) <= count <= sizes.sum() - len(sizes):
            return name, count, sizes
        sizes = sizes - rows_per_class(sizes, count, leave=1)
    return None


def _least(sizes: np.ndarray) -> int:
    """Return how many rows a split needs: one of each class that has more than one row."""
    return max(1, int((sizes > 1).sum()))


def _check(data: RawData, names: list[str], settings: DataSettings) -> None:
    """Raise CutTooSmall if a cut, or the rest of train, would lack a class; the error suggests settings that help."""
    strata = data.strata("train")
    is_one = strata is None  # a single stratum, for targets whose rows are drawn without strata
    rows = np.zeros(len(data.splits["train"]), np.int64) if strata is None else strata
    classes, sizes = np.unique(rows, return_counts=True)
    found = _obstacle(sizes, names, settings)
    if found is None:
        return
    name, count, left = found
    each = "" if is_one else ", one of each class"
    if count < _least(left):
        least = _least(left)
        why = f"too few: {least} are needed{each}" if least > 1 else "too few: one is needed"
    else:
        rarest = (
            f"; {_named(data, classes[[left.argmin()]])} has {left.min()}" if left.min() == 1 and not is_one else ""
        )
        why = f"too many: {len(left)} must stay{each}{rarest}"
    cure = next((c for c in _changes(len(sizes), settings) if not _obstacle(sizes, names, replace(settings, **c))), {})
    values = " ".join(f"data.{key}={value}" for key, value in cure.items())
    raise CutTooSmall(
        f"{count} of {left.sum()} training rows to cut off for `{name}` are {why}. "
        f"{f'Try: {values}; or' if cure else 'Try:'} {_other_ways(settings)}",
        cure,
    )


def _without_groups(settings: DataSettings) -> str:
    """Return the settings with which rows are cut off without groups."""
    grouped = {"data.group=null": settings.group, "data.duplicates=keep": settings.duplicates == "group"}
    return " ".join(setting for setting, is_used in grouped.items() if is_used)


def _other_ways(settings: DataSettings) -> str:
    """Return suggestions for when a cut does not work."""
    if settings.source == "files":
        return "more rows, or files of their own with data.val_path=... data.test_path=..."
    return "more rows, or " + ("data.split=null" if settings.split else "another split with data.select_split=...")


def _changes(classes: int, settings: DataSettings) -> Iterator[JsonObject]:
    """Yield other values for the settings that determine the cuts, the smallest changes first."""
    now: JsonObject = {
        "test_fraction": settings.test_fraction,
        "select_fraction": settings.select_fraction,
        "select_max_rows": settings.select_max_rows,
    }
    grid = [percent / 100 for percent in GRID]
    others = [grid, grid, [max(classes, settings.select_max_rows)]]
    found = [
        {key: new for (key, old), new in zip(now.items(), values) if new != old}
        for values in itertools.product(*([old, *new] for old, new in zip(now.values(), others)))
    ]
    yield from sorted(found, key=lambda one: (len(one), sum(abs(v - now[k]) for k, v in one.items())))


def limit_rows(data: RawData, settings: DataSettings) -> None:
    """Keep at most max_rows training rows and max_eval_rows rows of every other split, seeded and stratified."""
    for name, split in data.splits.items():
        key = "max_rows" if name == "train" else "max_eval_rows"
        most = settings.max_rows if name == "train" else settings.max_eval_rows
        if most is not None and most < len(split):
            data.splits[name] = split.take(_choose(data, name, most, settings.split_seed, key))


def keep_labels(data: RawData, settings: DataSettings) -> None:
    """Keep at most labelled_rows training rows with their labels, seeded and stratified.

    All training rows stay in the split TEXTS, without labels, so that the choice does not change a trained vocabulary.
    """
    train, most = data.splits["train"], settings.labelled_rows
    if most is None or most >= len(train):
        return
    kept = _choose(data, "train", most, settings.split_seed, "labelled_rows")
    data.splits[TEXTS] = replace(train, labels=train.labels.blank(np.arange(len(train))))
    data.splits["train"] = train.take(kept)


def _choose(data: RawData, name: str, most: int, seed: int, key: str) -> np.ndarray:
    """Draw at most `most` rows of a split, stratified by class; return the row numbers, sorted.

    key: the setting that limits the rows, for messages.
    """
    labels = data.splits[name].labels
    if (members := data.target.members(labels)) is not None:
        return cut_sets(members, most, seed)[1]
    if (groups := data.target.groups(labels)) is not None:
        return _pick_whole(groups, most, seed)
    strata = data.strata(name)
    classes = 1 if strata is None else len(np.unique(strata))
    if name == "train" and most < classes:
        raise DataError(
            f"data.{key}={most} is less than the {classes} classes: train would lose some. Try: data.{key}={classes}"
        )
    return pick_rows(len(data.splits[name]), most, seed, strata)


def _pick_whole(groups: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Draw whole groups, at least one, with at most `most` rows in total if possible; return the sorted row numbers."""
    names, counts = np.unique(groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    fitting = max(1, int(np.searchsorted(np.cumsum(counts[order]), most, side="right")))
    return np.flatnonzero(np.isin(groups, names[order[:fitting]]))
