"""Probes of one model on one task after another: vectors, fits, controls, code lengths."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from data.inputs.tokenizer import Tokenizer
from data.json_types import JsonObject
from data.splits import TokenSplit
from data.stores.build_once import SharedCache
from models.network import Network
from runner.errors import ConfigError
from runner.probing.controls import control_labels, first_tokens, label_by_token
from runner.probing.encoder import open_subject, random_twin
from runner.probing.features import Cell, cells_of, sentence_vectors
from runner.probing.fits import bits_per_label, fit_all, interval
from runner.probing.information import information
from runner.probing.probe import Rows, Splits
from runner.probing.results import Line, ProbeReport, Right, TaskReport
from runner.probing.rows import TaskRows, majority_share
from runner.probing.tasks import GROUP_OF
from runner.probing.wanted import LAYER_0, MEAN, Wanted
from runner.record.json_files import now
from runner.record.subject import Subject

SPLITS = ("train", "select", "report")
LONGEST = 128  # tokens of a sentence, where the model reads as many


@dataclass(frozen=True)
class Probed:
    """A model whose layers are probed: its network, and how its vectors are read."""

    network: Network
    tokenizer: Tokenizer
    cells: list[Cell]
    wanted: Wanted
    cache: SharedCache
    device: torch.device

    def tokens(self, task: TaskRows) -> dict[str, TokenSplit]:
        """Return the tokens of a task's rows."""
        longest = min(LONGEST, self.network.longest_input() or LONGEST)
        return {which: task.split(which, self.tokenizer, longest, self.cache) for which in SPLITS}

    def vectors(self, tokens: dict[str, TokenSplit], network: Network | None = None) -> Splits:
        """Return the rows as vectors of the cells, of this network or of another one of the same shape."""
        made = {
            which: sentence_vectors(network or self.network, split, self.wanted.pools, self.cache, self.device)
            for which, split in tokens.items()
        }
        known = cells_of(self.network, self.wanted.pools)
        chosen = [known.index(cell) for cell in self.cells]
        return {
            which: Rows(np.asarray(values[:, chosen]), np.asarray(tokens[which].labels.values, np.int64))
            for which, values in made.items()
        }


def evaluate(
    subject: Subject, base: Subject | None, tasks: Sequence[TaskRows], wanted: Wanted, key: JsonObject,
    cache: SharedCache, device: torch.device, tell: Callable[[str], None],
) -> tuple[ProbeReport, Right]:  # fmt: skip
    """Probe a model on all tasks; return the report and which reported rows its probes had right.

    base: the model whose last layer is given, for given=<model>. Raises the errors of opening a model.
    """
    start, notes = time.perf_counter(), list[str]()
    probed = open_probed(subject, wanted, cache, device)
    given = None if base is None else open_probed(base, replace(wanted, pools=("mean",), layers=None), cache, device)
    twin = random_twin(probed.network, subject, 0) if wanted.has_random else None
    if wanted.has_random and twin is None:
        notes.append("no encoder with random weights beside it: compression gave it a shape of its own")
    reports, right = [], Right()
    for task in tasks:
        tell(f"{task.name} ...")
        report, right[task.name] = probe_task(probed, twin, given, task)
        reports.append(report)
    name = "-".join([str(key["data"]), wanted.form])
    when = subject.record.started if subject.record else None
    seconds = round(time.perf_counter() - start, 3)
    return ProbeReport(key, name, subject.label, reports, notes, seconds, now(), when), right


def open_probed(subject: Subject, wanted: Wanted, cache: SharedCache, device: torch.device) -> Probed:
    """Open a model and choose its cells; layers that it lacks are left out. ConfigError where it has none of them."""
    network, tokenizer = open_subject(subject)
    cells = [c for c in cells_of(network, wanted.pools) if wanted.layers is None or c.layer in wanted.layers]
    if not cells:
        layers = network.bert.state_shape()[1]
        raise ConfigError(f"run probe: {subject.label} has the layers 0 to {layers} only. Try: layers={layers}")
    return Probed(network, tokenizer, cells, wanted, cache, device)


def probe_task(
    probed: Probed, twin: Network | None, given: Probed | None, task: TaskRows
) -> tuple[TaskReport, dict[str, np.ndarray]]:
    """Fit all probes of one task; return its lines, and the share of the probes that had each reported row right."""
    wanted, classes, tokens = probed.wanted, task.classes, probed.tokens(task)
    rows, once = probed.vectors(tokens), wanted.seeds[:1]
    fits = fit_all(rows, classes, wanted.form, wanted.seeds)
    random = control = bits = gain = None
    if twin is not None:
        random = fit_all(probed.vectors(tokens, twin), classes, wanted.form, once).accuracy
    if wanted.has_control:
        control = fit_all(control_rows(rows, tokens, probed), classes, wanted.form, once).accuracy
    if wanted.has_code:
        bits = bits_per_label(rows, classes, wanted.form, once[0], fits.penalties)
    if (known := vectors_given(rows, probed, given, task)) is not None:
        gain = information(rows, known, classes, wanted.form, once[0])
    lines = []
    for place, cell in enumerate(probed.cells):
        low, high = interval(fits.is_right[:, place])
        compression = None if bits is None else float(np.log2(classes) / bits[place])
        lines.append(
            Line(
                cell.pool, cell.layer, float(fits.selected[place]), float(fits.accuracy[place]), low, high,
                _at(random, place), _at(control, place), _at(bits, place), compression, _at(gain, place),
            )
        )  # fmt: skip
    counts = {which: len(part) for which, part in rows.items()}
    majority = majority_share(rows["train"].labels, rows["report"].labels)
    report = TaskReport(task.name, GROUP_OF.get(task.name), classes, counts, majority, lines)
    return report, {cell.name: fits.is_right[:, place].mean(0) for place, cell in enumerate(probed.cells)}


def _at(values: np.ndarray | None, place: int) -> float | None:
    return None if values is None else float(values[place])


def control_rows(rows: Splits, tokens: dict[str, TokenSplit], probed: Probed) -> Splits:
    """Return the rows with the labels of the control task: random ones of their first tokens."""
    special = int(probed.tokenizer.encode([""], None, LONGEST).lengths[0] > 1)
    first = {which: first_tokens(split, special) for which, split in tokens.items()}
    drawn = control_labels(np.concatenate([*first.values()]), rows["train"].labels, probed.wanted.seeds[0])
    return {which: Rows(one.vectors, label_by_token(first[which], drawn)) for which, one in rows.items()}


def vectors_given(rows: Splits, probed: Probed, given: Probed | None, task: TaskRows) -> Splits | None:
    """Return what is known before a layer is read, as vectors of one cell; None where nothing shall be."""
    if given is not None:
        found = given.vectors(given.tokens(task))
        return {which: Rows(one.vectors[:, -1:], one.labels) for which, one in found.items()}
    place = next((place for place, cell in enumerate(probed.cells) if (cell.pool, cell.layer) == (MEAN, 0)), None)
    if place is None or probed.wanted.given != LAYER_0:
        return None
    return {which: Rows(one.vectors[:, place : place + 1], one.labels) for which, one in rows.items()}
