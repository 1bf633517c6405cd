"""The texts of a run's rows, reread from their source, and where each row is in the user's own file.

A run stores no texts. They are read as the run read them, and used only if their fingerprint is still that of the
run; else the page has no texts, and says why. If only the training rows differ, the page leaves only those out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from data.calibration import CALIBRATION, calibration_share, rows_behind
from data.duplicates import text_hashes
from data.errors import DataError
from data.json_types import JsonObject
from data.load import Rows, read_rows
from data.parallel import parallel_name
from data.settings import DataSettings, TaskSettings, split_names
from data.sources.files import file_of, row_numbers
from data.sources.hub_splits import hub_splits
from data.stores.build_once import SharedCache
from runner.mistakes.answered import Answered
from runner.record.data_settings import data_settings
from runner.tasks import named_task

BETWEEN = " | "  # the two texts of a pair
NO_TRAIN = "run zero-shot reads no training rows, whatever its data set has"
Kind = TypeVar("Kind", DataSettings, TaskSettings)


@dataclass(frozen=True)
class Place:
    """A row of the user's file: its name, the number of the row (1 is the first), and its line or number there."""

    file: str
    row: int
    line: int


class RunData:
    """The rows of all splits of a run's data."""

    def __init__(self, settings: DataSettings, rows: Rows, cache: SharedCache) -> None:
        self.settings, self.rows, self.cache = settings, rows, cache
        self.no_train: str | None = None  # why nothing can be said about the training rows of the run
        self._numbers = dict[Path, np.ndarray]()

    @property
    def holds_texts(self) -> bool:
        """Are the rows texts, which can be compared by their words?"""
        return self.rows.raw.splits["train"].holds_texts

    @property
    def train_labels(self) -> np.ndarray:
        """The labels of the training rows, (rows,)."""
        return np.asarray(self.rows.raw.splits["train"].labels.values)

    def source_rows(self, split: str) -> np.ndarray:
        """Return the line or row numbers of a split's rows in its source, (rows,)."""
        return self.rows.raw.splits[split].source_rows

    def texts(self, split: str, chosen: np.ndarray | None = None) -> list[str]:
        """Return the texts of rows of a split, by default all: both texts of pairs, joined words, names of sounds."""
        raw = self.rows.raw.splits[split]
        columns = raw.shown(np.arange(len(raw)) if chosen is None else chosen).values()
        plain = [[cell if isinstance(cell, str) else " ".join(cell) for cell in cells] for cells in columns]
        return plain[0] if len(plain) == 1 else [BETWEEN.join(cells) for cells in zip(*plain)]

    @cached_property
    def of_train(self) -> list[str]:
        """The splits with the training rows of the source: train, and those cut off it to select and to calibrate."""
        is_apart = calibration_share(self.settings) is not None
        is_cut = self.rows.is_cut or self.settings.folds is not None  # a fold takes the place of a split of its own
        return ["train", *([self.rows.select] if is_cut else []), *([CALIBRATION] if is_apart else [])]

    def are_apart(self, source_rows: np.ndarray) -> np.ndarray:
        """Return which training rows of the source, by their numbers there, were set aside to calibrate on, (rows,)."""
        cut = self.source_rows(CALIBRATION) if CALIBRATION in self.of_train else np.zeros(0, np.int64)
        return np.isin(source_rows, cut)

    @cached_property
    def train_texts(self) -> list[str]:
        """The texts of the training rows."""
        return self.texts("train")

    def hashes(self, split: str) -> np.ndarray:
        """Return the hashes of a split's normalised texts, (rows,) uint64."""
        raw, known = self.rows.raw.splits[split], self.rows.fingerprints
        return text_hashes(raw, known[split] if split in known else raw.fingerprint(), self.cache)

    def texts_by_number(self, source_rows: np.ndarray, split: str = "train") -> list[str]:
        """Return the texts of rows of a split by their numbers in the source; "" for a row that was not in use.

        Those of train may be in a split that was cut off it.
        """
        parts = self.of_train if split == "train" else [split]
        numbers = np.concatenate([self.source_rows(part) for part in parts])
        ends = np.cumsum([len(self.source_rows(part)) for part in parts])
        order = np.argsort(numbers, kind="stable")
        at = order[np.minimum(np.searchsorted(numbers[order], source_rows), len(order) - 1)]
        found = [""] * len(source_rows)
        for part, end in zip(parts, ends):
            start = end - len(self.source_rows(part))
            mine = np.flatnonzero((at >= start) & (at < end) & (numbers[at] == source_rows))
            for place, text in zip(mine, self.texts(part, at[mine] - start)):
                found[place] = text
        return found

    def places(self, split: str, source_rows: np.ndarray) -> list[Place]:
        """Return where rows are; they are given by their numbers in the source of this split."""
        settings = self.settings
        if settings.folds is not None and split == self.rows.select:
            split = "train"  # a fold of it takes the place of a split of its own
        path = file_of(settings, split) if settings.source == "files" or split == CALIBRATION else None
        name = path.name if path else f"{settings.id or settings.name} {_hub_split(settings, split)}".strip()
        numbers = source_rows
        if path is not None and settings.tokens is None:
            if path not in self._numbers:
                self._numbers[path] = row_numbers(settings, path)
            numbers = np.searchsorted(self._numbers[path], source_rows) + 1
        return [Place(name, int(row), int(line)) for row, line in zip(numbers, source_rows)]


def _hub_split(settings: DataSettings, split: str) -> str:
    """Return the split of the hub dataset that a run's split was read from, after its config if data.report names it.

    "" for other sources.
    """
    if settings.source != "hub":
        return ""
    first = split_names(settings)[1][0]
    config = next((one for one in settings.report if parallel_name(first, one) == split), None)
    own = settings.split or hub_splits(settings).get(split if config is None else first) or settings.train_split
    return own if config is None else f"({config}) {own}"


def _known(kind: type[Kind], content: JsonObject) -> Kind:
    names = {one.name for one in fields(kind)}
    return kind(**{key: value for key, value in content.items() if key in names})


def read_run_data(answered: Answered, cache: Path) -> RunData | str:
    """Return the rows of a run's data, or why its texts cannot be shown, in words."""
    record, split = answered.record, answered.split
    settings = data_settings(record)
    named = named_task(_known(TaskSettings, record.config.get("task") or {}), settings)
    shared = SharedCache(cache)
    try:
        rows = read_rows(settings, shared, named.target if named else "auto")
    except (DataError, OSError) as error:
        return f"the run's data cannot be read: {str(error).splitlines()[0].split('. ')[0]}"
    source = rows_behind(split)
    raw, wanted = rows.raw.splits.get(source), record.data.fingerprints.get(source)
    if raw is None or (wanted and rows.fingerprints[source] != wanted):
        return f"the rows of {split} are not those that the run answered: its data have changed since"
    if split != source and answered.source_rows is not None:  # except for rows that are in no fold
        rows.raw.splits[split] = raw.take(np.flatnonzero(np.isin(raw.source_rows, answered.source_rows)))
        rows.fingerprints[split] = rows.raw.splits[split].fingerprint()
    run_data = RunData(settings, rows, shared)
    is_zero_shot = "zero_shot" in record.config
    run_data.no_train = NO_TRAIN if is_zero_shot else _changed(run_data, record.data.fingerprints)
    return run_data


def _changed(run_data: RunData, recorded: Mapping[str, str]) -> str | None:
    """Return in words which training rows are no longer those of the run, including rows to calibrate on."""
    found, apart = run_data.rows.fingerprints, [CALIBRATION] if CALIBRATION in run_data.rows.raw.splits else []
    for name in (*run_data.of_train, *apart):
        if name in recorded and found[name] != recorded[name]:
            return f"the rows of {name} are not those of the run: its data have changed since"
    return None
