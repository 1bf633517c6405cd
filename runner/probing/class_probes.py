"""Probes of one task with classes: fits, controls, code lengths, information."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np

from models.network import Network
from runner.errors import ConfigError
from runner.probing.controls import control_labels, label_by_token
from runner.probing.fits import Fits, bits_per_label, by_sentence, fit_all, interval
from runner.probing.information import information
from runner.probing.mix import mixes_of
from runner.probing.probe import Rows, Splits
from runner.probing.probed import Models, Probed
from runner.probing.results import Line, TaskReport
from runner.probing.wanted import LAYER_0, MEAN, WORD

FIRSTS = {(MEAN, 0), (WORD, 0)}  # the mean of the embeddings, of a sentence or a word


class ClassTask(Protocol):
    """A task that gives each row, a sentence or a word, one of several classes."""

    @property
    def name(self) -> str:
        """The name in tables and files."""

    @property
    def group(self) -> str | None:
        """The group of tasks over which a mean is shown."""

    @property
    def classes(self) -> int:
        """The number of classes."""

    def pools(self, probed: Probed) -> tuple[str, ...]:
        """Return how the vectors of a row are pooled."""

    def rows(self, probed: Probed, network: Network) -> Splits:
        """Return the rows as vectors of the cells of these pools, of the model's network or of its twin."""

    def types(self, probed: Probed) -> Mapping[str, np.ndarray] | None:
        """Return for each row of each split the type that decides its label in the control task, (rows,) integers.

        None if rows have no types, and so no control task.
        """

    def notes(self, probed: Probed) -> list[str]:
        """Return notes on the rows for the user."""


def probe_classes(task: ClassTask, models: Models) -> tuple[TaskReport, dict[str, np.ndarray]]:
    """Fit all probes of one task; return its lines, and for each the share of right answers by reported sentence."""
    probed, classes = models.probed, task.classes
    wanted, cells = probed.wanted, probed.cells(task.pools(probed))
    rows, form, once = task.rows(probed, probed.network), wanted.form, wanted.seeds[:1]
    fits = fit_all(rows, classes, form, wanted.seeds, wanted.grid)
    random = control = bits = gain = None
    if models.twin is not None:
        random = fit_all(task.rows(probed, models.twin), classes, form, once, wanted.grid).accuracy
    if wanted.has_control and (types := task.types(probed)) is not None:
        own = control_rows(rows, types, wanted.seeds[0])
        control = fit_all(own, classes, form, once, wanted.grid).accuracy
    if wanted.has_code:
        bits = bits_per_label(rows, classes, once[0], fits.options)
    if (known := rows_given(rows, task, models)) is not None:
        gain = information(rows, known, classes, form, once[0])
    lines = []
    for place, cell in enumerate(cells):
        low, high = interval(fits.is_right[:, place], rows["report"].sentences)
        compression = None if bits is None else float(np.log2(classes) / bits[place])
        lines.append(
            Line(
                cell.pool, cell.layer, float(fits.selected[place]), float(fits.accuracy[place]), low, high,
                _at(random, place), _at(control, place), _at(bits, place), compression, _at(gain, place),
            )
        )  # fmt: skip
    counts = {which: len(part) for which, part in rows.items()}
    majority = majority_share(rows["train"].labels, rows["report"].labels)
    mixes = mixes_of(rows, cells, classes, form, wanted.grid, wanted.seeds) if wanted.has_mix else []
    notes = [*task.notes(probed), *(mix.words for mix in mixes)]
    report = TaskReport(task.name, task.group, classes, counts, majority, lines, notes=notes, mixes=mixes)
    return report, {cell.name: _right(fits, place, rows["report"]) for place, cell in enumerate(cells)}


def _at(values: np.ndarray | None, place: int) -> float | None:
    return None if values is None else float(values[place])


def _right(fits: Fits, place: int, report: Rows) -> np.ndarray:
    return by_sentence(fits.is_right[:, place].mean(0), report.sentences)


def control_rows(rows: Splits, types: Mapping[str, np.ndarray], seed: int) -> Splits:
    """Return the rows with the labels of the control task: a random one of each type."""
    drawn = control_labels(np.concatenate([*types.values()]), rows["train"].labels, seed)
    return {which: Rows(one.vectors, label_by_token(types[which], drawn), one.sentences) for which, one in rows.items()}


def rows_given(rows: Splits, task: ClassTask, models: Models) -> Splits | None:
    """Return what is given in addition to a layer, as vectors of one cell; None if nothing is.

    Raises ConfigError if the given model reads different words than this one.
    """
    probed, given = models.probed, models.given
    if given is not None:
        found = task.rows(given, given.network)
        if any(len(found[which]) != len(one) for which, one in rows.items()):
            raise ConfigError(
                f"run probe: {given.label} and {probed.label} do not read the same words of the longest sentences. "
                "Try: given=layer0"
            )
        return {which: Rows(one.vectors[:, -1:], one.labels) for which, one in found.items()}
    if probed.wanted.given != LAYER_0:
        return None
    if not FIRSTS & {(cell.pool, cell.layer) for cell in probed.cells(task.pools(probed))}:
        pools = probed.wanted.pools if MEAN in probed.wanted.pools else (MEAN,)
        probed = replace(probed, wanted=replace(probed.wanted, pools=pools, layers=(0,)))
        rows = task.rows(probed, probed.network)
    cells = [(cell.pool, cell.layer) for cell in probed.cells(task.pools(probed))]
    place = next(place for place, cell in enumerate(cells) if cell in FIRSTS)
    return {which: Rows(one.vectors[:, place : place + 1], one.labels) for which, one in rows.items()}


def majority_share(train: np.ndarray, report: np.ndarray) -> float:
    """Return the accuracy on the reported labels of always answering the most frequent training class."""
    return float(np.mean(report == np.bincount(train).argmax()))
