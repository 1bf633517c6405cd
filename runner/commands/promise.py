"""The options of a promise on the share of errors: reject=0.05, or precision_at_least=0.95 class=fraud."""

from __future__ import annotations

import sys
from pathlib import Path

from runner.deploy.exported import CASCADE, DESCRIPTION_FILE, ExportedModel
from runner.deploy.promise import Promise, WantedPromise, find_promise
from runner.deploy.promise_text import remarks
from runner.errors import ConfigError
from runner.record.compared import models_compared
from runner.record.folder import find_record
from runner.record.record import RunRecord
from runner.sanitize import say

PROMISE_OPTIONS = {"reject": "", "precision_at_least": "", "class": ""}


def wanted_promise(verb: str, chosen: dict[str, str]) -> WantedPromise | None:
    """Return the promise that the options describe; None for none.

    Raises ConfigError for options that do not form one.
    """
    reject, precision, names = (chosen[key] for key in PROMISE_OPTIONS)
    if bool(precision) != bool(names):
        example = f"precision_at_least={precision or '0.95'} class={names or '<label>'}"
        raise ConfigError(f"run {verb}: precision_at_least and class go together. Try: {example}")
    if reject and precision:
        raise ConfigError(f"run {verb}: reject is for all answers, precision_at_least for some classes. Leave one out")
    if precision:
        classes = tuple(dict.fromkeys(name.strip() for name in names.split(",")))
        return WantedPromise(round(1 - open_share(verb, "precision_at_least", precision, "0.95"), 12), classes)
    return WantedPromise(open_share(verb, "reject", reject, "0.05")) if reject else None


def check_promised_length(verb: str, wanted: WantedPromise | None, **options: float | None) -> None:
    """Raise ConfigError for a promise at lengths other than those at which its rows were answered.

    options: those that choose the lengths, None if they are not given.
    """
    given = [f"{key}=" for key, value in options.items() if value is not None]
    if wanted and given:
        raise ConfigError(
            f"run {verb}: {wanted.words}: the rows behind the promise were answered at the run's own lengths. "
            f"Leave {' and '.join(given)} out"
        )


def open_share(verb: str, key: str, text: str, example: str) -> float:
    """Return the value of an option that is a share strictly between 0 and 1; raise ConfigError for any other text."""
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 < share < 1:
        hint = f"{share / 100:g}" if 1 < share < 100 else example
        raise ConfigError(f"run {verb}: {key}={text}: expected a share between 0 and 1. Try: {key}={hint}")
    return share


def promise_of_run(record: RunRecord, output: Path, wanted: WantedPromise) -> Promise:
    """Return the promise that a run below `output` can give, and print remarks on it; raise ConfigError if there is
    none.
    """
    promise = find_promise(record, output / record.identity, wanted, models_compared(output, record))
    for remark in remarks(promise, record):
        say(f"note: {remark}", sys.stderr)
    return promise


def promise_to_keep(exported: ExportedModel, wanted: WantedPromise | None) -> Promise | None:
    """Return the promise of a model with these options; None if they describe none.

    An export has its own promise, which is found when it is opened. Raises ConfigError for another one of an export,
    and for a graph in 8 bits, whose answers differ from those on the calibration rows.
    """
    if wanted is None:
        return None
    if exported.engine == "onnx-int8":
        raise ConfigError(
            f"{wanted.words}: the rows behind the promise were answered by the run's own weights, not in 8 bits. "
            "Try: engine=auto"
        )
    if exported.engine == CASCADE:
        raise ConfigError(
            f"{wanted.words}: {exported.identity} is a cascade, whose promise is about the accuracy lost against its "
            f"large model. Leave {wanted.words.split('=')[0]}= out, or use the large model alone"
        )
    if (exported.folder / DESCRIPTION_FILE).is_file():
        raise ConfigError(
            f"{wanted.words}: {exported.folder} is an export, and a promise is made when it is written. "
            f"Try: run export {exported.identity} {wanted.words}, with its format="
        )
    output = exported.folder.parent.parent  # of <output>/<id>/model
    return promise_of_run(find_record(output, exported.identity), output, wanted)
