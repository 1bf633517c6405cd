"""Cross-validation: the training rows are divided into folds; one is the validation split, the others train.

    run -m model=dsn data=files data.path=reviews.csv data.folds=5 data.fold=0,1,2,3,4

Folds are stratified by class. Rows of one group stay in one fold, and so do rows with equal texts, whatever
`data.duplicates` is: otherwise a model would be validated on texts that it has seen in training. The reported split is
the same as without folds. With data.fold_column a data set brings its own folds; one of them is the reported split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from data.counted import counted
from data.errors import DataError
from data.groups import STAYS, row_groups
from data.iterative import deal_groups
from data.quoting import listed
from data.settings import ALL_FOLDS, DataSettings
from data.sources.cells import parse_number, plain_number
from data.sources.raw import FOLD, RawData
from data.sources.take_rows import take_rows
from data.stores.build_once import SharedCache
from data.targets.label_column import is_none

SHOWN = 10  # values in a message


def take_fold(data: RawData, settings: DataSettings, select: str, cache: SharedCache) -> None:
    """Make the fold `data.fold` the validation split, and train on the other training rows.

    With data.fold=all every row trains, and the first fold is also the validation split. Rows of the group STAYS always
    train. Raises DataError for a fold that does not exist, and for a class that can be in only one fold.
    """
    train, strata = data.splits["train"], data.strata("train")
    if select in data.splits:
        data.notes.append(f"{select}: its {len(data.splits[select]):,} rows are not used: the folds take their place")
    groups = fold_groups(data, settings, cache)
    folds, why = count_folds(data, settings, groups)
    if why:
        data.notes.append(why)
    data.folds = folds
    chosen = 0 if settings.fold == ALL_FOLDS else int(settings.fold or 0)
    if chosen >= folds:
        numbers = ",".join(map(str, range(folds)))
        raise DataError(f"data.fold={chosen}: {why}. Try: data.folds={folds} data.fold={numbers}")
    if (members := data.target.members(train.labels)) is not None:
        fold = deal_groups(members, np.full(folds, (groups != STAYS).sum() / folds), settings.fold_seed, groups)
    else:
        fold = assign_folds(groups, strata, folds, settings.fold_seed)
    if stay := int((fold == STAYS).sum()):
        data.notes.append(f"{stay:,} of {len(train):,} training rows are in no fold: data.group keeps them in train")
    held = np.flatnonzero(fold == chosen)
    data.splits[select] = train.take(held)
    if settings.fold == ALL_FOLDS:
        data.notes.append(f"data.fold={ALL_FOLDS}: every row is trained on, so scores on {select} mean nothing")
    else:
        data.whole = train.labels
        data.splits["train"] = train.take(np.flatnonzero(fold != chosen))
        note_lost_classes(data, strata, f"data.fold={chosen}")


def take_own_fold(data: RawData, settings: DataSettings) -> None:
    """Make the rows whose value of data.fold_column is data.fold the reported split, and train on the others.

    With data.fold=all every row trains; the rows with the first value are also the reported split, and those with the
    second the validation split. Raises DataError for a value that no row has, and for rows without one.
    """
    train, column = data.splits["train"], f"data.fold_column={settings.fold_column}"
    cells = take_rows(train.table.select([FOLD]), train.rows)[FOLD].to_pylist()
    if lacking := [row for row, cell in zip(train.source_rows, cells) if cell is None or is_none(str(cell).strip())]:
        raise DataError(
            f"{column}: {len(lacking):,} training rows have no value (first: row {lacking[0]}), so no fold would test "
            "them. Fill them in, or leave those rows out of the file"
        )
    values = np.array([plain_number(str(value)) for value in cells])
    names = sorted(set(values.tolist()), key=lambda name: (parse_number(name) or 0.0, name))
    if len(names) < 2:
        raise DataError(f"{column} has only one value ({names[0]!r}), so no fold can be left out. Try: another column")
    if settings.fold == ALL_FOLDS:
        for split, name in zip(("test", "val"), names):
            data.splits[split] = train.take(np.flatnonzero(values == name))
        data.notes.append(f"data.fold={ALL_FOLDS}: every row is trained on, so scores on test and val mean nothing")
        return
    if settings.fold not in names:
        shown = listed(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        raise DataError(f"data.fold={settings.fold}: {column} has the values {shown}. Try: data.fold={names[0]}")
    is_held = values == settings.fold
    classes, data.whole = data.strata("train"), train.labels
    data.splits["test"] = train.take(np.flatnonzero(is_held))
    data.splits["train"] = train.take(np.flatnonzero(~is_held))
    note_lost_classes(data, classes, f"data.fold={settings.fold}")
    groups = np.arange(len(train)) if train.groups is None else train.groups
    if len(both := np.intersect1d(groups[is_held], groups[~is_held])):
        given = {
            f"data.group={settings.group}": settings.group,
            "data.duplicates=group": settings.duplicates == "group",
        }
        named = " and ".join(setting for setting, is_used in given.items() if is_used)
        are = counted(len(both), f"group of {named} is", f"groups of {named} are")
        data.notes.append(f"{are} in both test and train: {column} splits them")


def note_lost_classes(data: RawData, before: np.ndarray | None, fold: str) -> None:
    """Add a note on the classes that no training row has once a fold is left out.

    That at least two classes are left is checked later, after all cuts.

    before: (rows,) the class of each row of all folds; None: rows have no classes. fold: the setting that chose it.
    """
    after = data.strata("train")
    if before is None or after is None:
        return
    lost = np.setdiff1d(before[before >= 0], after)
    if not len(lost):
        return
    names = ", ".join(repr(data.target.names[int(label)]) for label in lost[:SHOWN])
    them = "it" if len(lost) == 1 else "them"
    data.notes.append(f"{fold}: all training rows of {names} are in this fold, so the model cannot learn {them}")


def also_trained_on(settings: DataSettings, select: str, report: Sequence[str]) -> set[str]:
    """Return the names of the splits whose rows are also trained on; empty unless data.fold=all."""
    if settings.fold != ALL_FOLDS:
        return set()
    return {select, *(report if settings.fold_column is not None else ())}


def fold_groups(data: RawData, settings: DataSettings, cache: SharedCache) -> np.ndarray:
    """Return the group of each training row, (rows,): those of data.group, joined with those of equal texts."""
    groups = row_groups(data, replace(settings, duplicates="group"), cache)
    assert groups is not None, "equal texts are always groups"
    return groups


def count_folds(data: RawData, settings: DataSettings, groups: np.ndarray) -> tuple[int, str | None]:
    """Return how many folds are possible, at most data.folds, and a line that says why if there are fewer.

    groups: (rows,) as from `fold_groups`. Every class must be in every fold, so a class with three groups allows at
    most three folds. Raises DataError for a class with only one group.
    """
    wanted, strata = settings.folds or 1, data.strata("train")
    fewest, name = _scarcest(data, strata, groups)
    if fewest >= wanted:
        return wanted, None
    rows = "the training rows form" if name is None else f"the rows of {name!r} form"
    if fewest < 2:
        raise DataError(
            f"data.folds={wanted}: {rows} one group of equal texts or of data.group, so no fold can both train on "
            f"{'them' if name is None else 'this class'} and validate on it. Try: more rows of it, or rows without it"
        )
    return fewest, f"data.folds={wanted}: {rows} {fewest} groups, so there are {fewest} folds"


def _scarcest(data: RawData, strata: np.ndarray | None, groups: np.ndarray) -> tuple[int, str | None]:
    """Return the smallest number of groups of any class, and its name; without classes, that of all rows, and None.

    A class with rows that always train is ignored, since no fold can remove it from train.
    """
    movable = groups != STAYS
    if strata is None:
        return len(np.unique(groups[movable])), None
    found = [
        (len(np.unique(groups[of_class])), data.target.names[int(label)])
        for label in np.unique(strata)
        if (movable | (strata != label)).all() and len(of_class := np.flatnonzero(strata == label))
    ]
    return min(found, default=(len(np.unique(groups[movable])), None), key=lambda one: one[0])


def assign_folds(groups: np.ndarray, strata: np.ndarray | None, folds: int, seed: int) -> np.ndarray:
    """Return the fold of each row, (rows,) int64; STAYS for the rows of that group.

    groups: (rows,) rows with the same number share a fold. strata: (rows,) class of each row; None: one class. Groups
    are assigned from the largest to the smallest, ties in seeded order, each to the fold where its classes are then
    spread most evenly; among equally good folds, to the one with the fewest rows.
    """
    strata = np.zeros(len(groups), np.int64) if strata is None else strata
    _, classes, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    found = np.full(len(groups), STAYS, dtype=np.int64)
    held = [[0.0] * len(sizes) for _ in range(folds)]  # rows of each class in each fold
    totals = [0] * folds
    weights = (1.0 / sizes.astype(np.float64) ** 2).tolist()
    for members in _largest_first(groups, seed):
        labels, counts = np.unique(classes[members], return_counts=True)
        parts = [(label, count, weights[label] * count) for label, count in zip(labels.tolist(), counts.tolist())]
        costs = [sum(rows[label] * weight for label, _, weight in parts) for rows in held]
        fold = min(range(folds), key=lambda fold: (costs[fold], totals[fold]))
        found[members] = fold
        totals[fold] += len(members)
        for label, count, _ in parts:
            held[fold][label] += count
    return found


def _largest_first(groups: np.ndarray, seed: int) -> list[np.ndarray]:
    """Return the rows of each group except STAYS, the largest group first; groups of equal size in a seeded order."""
    order = np.argsort(groups, kind="stable")
    order = order[groups[order] != STAYS]
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1) if len(order) else []
    drawn = np.random.default_rng(seed).permutation(len(members))
    return sorted((members[index] for index in drawn), key=len, reverse=True)
