"""A promise on the share of errors among a run's answers: found on the calibration rows, kept in `calibration.json`.

    wanted = WantedPromise(alpha=0.05)                                  # at most 5 % wrong among answered texts
    promise = find_promise(record, run_folder, wanted, models=1)        # ConfigError: why it cannot be given

It holds for texts like those rows. They must be independent of training and of the reported score.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from data.calibration import OUT_OF_FOLD, OVERLAP, rows_behind
from data.json_types import JsonObject
from data.quoting import listed
from data.settings import ALL_FOLDS
from runner.deploy.bundle.calibration import CALIBRATION_FILE, NONE, PROMISE, hash_of, read_calibration
from runner.deploy.bundle.rejection import CLASSES, UNSURE, WORDS
from runner.deploy.promise_text import sentences
from runner.errors import ConfigError
from runner.record.command import command_line
from runner.record.predictions import calibrated_probabilities, read_logits
from runner.record.record import RunRecord
from runner.statistics.rejection import DELTA, FOLDS_MARGIN, Threshold, find_threshold, smallest_promise
from runner.tasks.make import task_of_record

Promise = dict[str, Any]  # as calibration.json has it


@dataclass(frozen=True)
class WantedPromise:
    """At most `alpha` errors among all answers; or among those that name one of `classes`, the only ones given then."""

    alpha: float
    classes: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The options that ask for it."""
        if not self.classes:
            return f"reject={self.alpha:g}"
        return f"precision_at_least={1 - self.alpha:g} class={','.join(self.classes)}"

    def with_alpha(self, alpha: float) -> WantedPromise:
        """Return the options for another share of errors among these answers."""
        return WantedPromise(alpha, self.classes)


def find_promise(record: RunRecord, run_folder: Path, wanted: WantedPromise, models: int) -> Promise:
    """Return the promise that the calibration rows of a run allow.

    Raises ConfigError if they do not, with what they allow.

    models: how many were compared on these rows.
    """
    if task_of_record(record).has_label_sets:
        raise ConfigError(
            f"reject={wanted.alpha:g}: run {record.identity} answers with sets of labels, but a promise is for one "
            "label per text. Try: data.threshold=<a higher number>, which answers fewer labels"
        )
    labels = tuple(record.data.labels)
    wanted = WantedPromise(wanted.alpha, with_commas(wanted.classes, labels))
    check_labels(record, wanted, labels)
    split = calibration_split(record, wanted.words)
    shares, truth = calibration_rows(record, run_folder, split, wanted.words)
    classes = wanted.classes or ("",)
    delta = DELTA / len(classes) / (FOLDS_MARGIN if split == OUT_OF_FOLD else 1)
    found: dict[str, Threshold] = {}
    for name in classes:
        confidence, is_wrong, usual = surest_of(shares, truth, labels, name, wanted.classes)
        how: dict[str, Any] = {"delta": delta, "models": models, "usual": usual}
        threshold = find_threshold(confidence, is_wrong, wanted.alpha, **how)
        if not isinstance(threshold, Threshold):
            least = smallest_promise(confidence, is_wrong, **how)
            where = f"the {len(truth):,} rows of {split}" + (f" for {name!r}" if len(classes) > 1 else "")
            where += f" ({models:,} models were compared on them)" if models > 1 else ""
            raise ConfigError(refusal(wanted, where, threshold.reason, least, len(truth)))
        found[name] = threshold
    about = {
        "alpha": wanted.alpha, "delta": DELTA, "models": models, "rows": len(truth), "split": split,
        "rows_sha256": record.data.examples(split),
    }  # fmt: skip
    if not wanted.classes:
        return about | asdict(found[""])
    support = {name: int((truth == labels.index(name)).sum()) for name in classes}
    return about | {CLASSES: {name: asdict(found[name]) | {"support": support[name]} for name in classes}}


def surest_of(
    shares: np.ndarray, truth: np.ndarray, labels: tuple[str, ...], name: str, classes: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return confidence and errors, both (n,), of the rows that may be answered with a class, and how many usually are.

    name: of the class, "" for any answer. Of several classes, a row belongs to the most probable one.
    """
    answers = shares.argmax(1)
    if not name:
        return shares.max(1), answers != truth, len(truth)
    wanted, place = [labels.index(one) for one in classes], labels.index(name)
    is_its = np.array(wanted)[shares[:, wanted].argmax(1)] == place
    usual = int((is_its & (answers == place)).sum())
    return shares[is_its, place], truth[is_its] != place, max(1, usual)


def with_commas(parts: Sequence[str], labels: Sequence[str]) -> tuple[str, ...]:
    """Return the classes named in a list split at commas; parts of a label that itself has commas are rejoined."""
    whole = {tuple(part.strip() for part in label.split(",")): label for label in labels}
    found, start = [], 0
    while start < len(parts):
        ends = range(len(parts), start, -1)
        end = next((end for end in ends if tuple(parts[start:end]) in whole), start + 1)
        found.append(whole.get(tuple(parts[start:end]), parts[start]))
        start = end
    return tuple(dict.fromkeys(found))


def check_labels(record: RunRecord, wanted: WantedPromise, labels: tuple[str, ...]) -> None:
    """Raise ConfigError for a run whose answers are not labels, for an unknown class, and for a label called UNSURE."""
    if not labels or all(field.type != "shares" for field in task_of_record(record).answer_fields()):
        raise ConfigError(
            f"{wanted.words}: run {record.identity} has task {record.data.task}, but a promise is for models that "
            f"answer one label per text. Leave {wanted.words.split('=')[0]}= out"
        )
    for name in wanted.classes:
        if name not in labels:
            near = get_close_matches(name, labels, 1) or labels[:1]
            known = listed(labels[:20]) + (", ..." if len(labels) > 20 else "")
            raise ConfigError(
                f"class={name}: is not a label of run {record.identity} ({known}). "
                f"Try: {shlex.quote(f'class={near[0]}')}"
            )
    if UNSURE in labels:
        raise ConfigError(f"{wanted.words}: a label of this run is itself called {UNSURE!r}. Rename it and train again")


def calibration_split(record: RunRecord, words: str) -> str:
    """Return the name of the split whose rows a promise may be made on.

    Raises ConfigError for one that was used for something else.

    words: the options that ask for the promise, for the message.
    """
    data = record.data
    split, reported = data.calibrating, data.primary.partition("/")[0]
    why = ""
    if not split:
        why = "it has no selection rows"
    elif record.setting("data.fold") == ALL_FOLDS and not data.calibration:
        why = f"data.fold={ALL_FOLDS} trains on the rows of {split} too"
    elif split == reported:
        why = f"the rows of {split} are the reported ones too"
    source = rows_behind(split)
    for other in () if why else [name for name in data.rows if name not in (split, source)]:
        if data.fingerprints.get(other) == data.fingerprints.get(source, ""):
            why = f"{split} and {other} are the same rows"
        repeated = max(data.duplicates.get(f"{pair}/exact", 0) for pair in (f"{other}+{source}", f"{source}+{other}"))
        if repeated > OVERLAP * data.rows.get(split, 0):
            why = f"{repeated:,} of the {data.rows[split]:,} texts of {split} occur in {other}"
    if why:
        raise ConfigError(
            f"{words}: run {record.identity} has no rows to base it on: {why}. Try: data.calibration=0.1, "
            "which sets part of the training rows aside, without repeats (data.duplicates=drop)"
        )
    return split


def calibration_rows(record: RunRecord, run_folder: Path, split: str, words: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities (n, C) and labels (n,) of the calibration rows.

    Raises ConfigError if no logits are kept, one of them is not finite, or all rows have one label.
    """
    found = read_logits(run_folder, split, record)
    if found is None:
        again = command_line(record, "force=true")
        raise ConfigError(f"{words}: run {record.identity} has no logits of {split}. Make them: {again}")
    logits, truth = found
    if len(wrong := np.flatnonzero(~np.isfinite(logits).all(axis=1))):
        raise ConfigError(f"{words}: the logits of row {wrong[0] + 1} of {split} are not finite. Train again")
    if len(present := np.unique(truth)) == 1:
        raise ConfigError(
            f"{words}: all {len(truth):,} rows of {split} have the label {record.data.labels[present[0]]!r}, "
            "which says nothing about other labels. Try: a split with all labels"
        )
    return calibrated_probabilities(record, logits), truth


def refusal(wanted: WantedPromise, where: str, reason: str, least: tuple[float, Threshold] | None, rows: int) -> str:
    """Return why a promise cannot be given, and the nearest one that can. where: of the rows, in words."""
    said = f"{wanted.words}: cannot be promised from {where}: {reason}"
    if least is None:
        return f"{said}. Nor can any other share of errors up to 50 %. Try: a better model, or more selection rows"
    alpha, threshold = least
    nearest, share = wanted.with_alpha(alpha).words, threshold.answered / rows
    return f"{said}. The nearest that can: {nearest}, which answers {100 * share:.0f} % of the texts"


def facts_with(facts: JsonObject, promise: Promise, weights: Path) -> JsonObject:
    """Return the content of a calibration.json ({} without one) with a promise and its sentences added."""
    known = facts or {"method": NONE, "of": [hash_of(weights)]}
    return known | {PROMISE: promise | {WORDS: sentences(promise)}}


def save_promise(weights: Path, promise: Promise) -> None:
    """Add a promise to the calibration.json beside a file of weights."""
    content = json.dumps(facts_with(read_calibration(weights).facts, promise, weights))
    weights.with_name(CALIBRATION_FILE).write_text(content + "\n", encoding="ascii")
