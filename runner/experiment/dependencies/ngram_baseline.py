"""Makes the n-gram baseline of a run: a linear model that takes seconds, as a separate run, once for its data.

It is the same run that `run model=ngram` makes on these data, so it appears in tables and in the tracker like any
other, every run of these data shares it, and an earlier one is found without reading the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from data.calibration import FOLDS
from data.errors import DataError
from models.errors import ModelError
from models.settings import reads_frames
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment.dependencies.inner_run import InnerRunUnfinished, MakeRun, shared_overrides
from runner.experiment.identity_index import key, recall
from runner.record.baseline import NGRAM, NGRAM_BYTES, NGRAM_US, describe_ngram
from runner.record.folder import read_record
from runner.record.record import RunRecord
from runner.schema import Settings
from runner.tasks import named_task

PRESET = "ngram"
SHARED = ("data", "task", "paths", "tracker")  # groups of the command that make the same data
INTERRUPTED = 130


def find_ngram_baseline(
    settings: Settings, overrides: list[str], notify: Callable[[str], None], make_run: MakeRun
) -> dict[str, float]:
    """Return the metrics that a run takes over from the n-gram run on its data, which is made first if there is none.

    make_run: makes a run without output on the terminal. Data that n-grams cannot learn from are not an error:
    `notify` is told why there is no baseline, and the result is {}. Raises InnerRunUnfinished after Ctrl-C.
    """
    if not is_wanted(settings):
        return {}
    by_folds = settings.data.calibration == FOLDS  # of this run; the baseline needs no probabilities
    dropped = ("data.added_tokens", *(["data.calibration"] if by_folds else []))
    try:
        words = [f"model={PRESET}", *shared_overrides(overrides, SHARED, dropped=dropped)]
    except ConfigError as error:
        notify(f"no n-gram baseline: {error}")
        return {}
    inner = ngram_settings(settings, words)
    if found := find_finished(inner):
        return baseline_metrics(found)
    notify("n-gram baseline first: a separate run, made once for these data (baseline.ngram=off leaves it out)")
    try:
        outcome = make_run(inner, words)
    except (ConfigError, DataError, ModelError, OSError) as error:
        notify(f"no n-gram baseline: {error}")
        return {}
    if outcome.exit_code == INTERRUPTED:
        raise InnerRunUnfinished(outcome)
    record = outcome.record
    if record is None or record.status != "done":
        notify(f"no n-gram baseline: its run failed ({record.reason if record else outcome.reason})")
        return {}
    metrics = baseline_metrics(record)
    notify(f"n-gram baseline: {record.data.primary} {describe_ngram(metrics)}, run {record.identity}")
    return metrics


def is_wanted(settings: Settings) -> bool:
    """Return whether the run gets an n-gram baseline.

    It does if it gives one answer per text, measures costs, and is not an n-gram run itself.
    """
    task = named_task(settings.task, settings.data)  # None: whatever the labels can be, there is one answer per text
    is_text = task is None or (task.reads == "text" and task.input == "text" and task.needs_label)
    is_text &= not reads_frames(settings.model)
    is_asked = settings.baseline.ngram == "auto" and settings.measure.enabled
    return is_asked and is_text and settings.model.family != PRESET


def ngram_settings(settings: Settings, words: list[str]) -> Settings:
    """Return the settings of the baseline's run: those of `run model=ngram` with this run's data, task and machine.

    words: the command of that run, which may set whether the order of two texts matters; other models do not use that
    setting.
    """
    plain = resolve(compose([f"model={PRESET}", "data=demo"]))
    symmetric = bool(compose(words).data.symmetric)
    data = replace(settings.data, max_length=plain.data.max_length, truncate="end", symmetric=symmetric)  # whole texts
    data.calibration = None if data.calibration == FOLDS else data.calibration
    data.added_tokens = []  # a number of word pieces, which it does not read
    return replace(
        plain, data=data, task=settings.task, measure=settings.measure, tracker=settings.tracker,
        paths=settings.paths, checkpoint=settings.checkpoint, device=settings.device,
    )  # fmt: skip


def find_finished(settings: Settings) -> RunRecord | None:
    """Return the finished run of these settings, as far as it is known without reading the data."""
    output = Path(settings.paths.output).expanduser().absolute()
    identity = recall(output, key(settings))
    found = read_record(output / identity) if identity else None
    return found if found and found.status == "done" else None


def baseline_metrics(record: RunRecord) -> dict[str, float]:
    """Return the metrics that a run copies from its n-gram baseline: score, interval, bytes and time per answer."""
    found, primary = record.metrics, record.data.primary
    names = {
        NGRAM: primary, f"{NGRAM}_low": f"{primary}_low", f"{NGRAM}_high": f"{primary}_high",
        NGRAM_BYTES: "cost/bytes_deployed", NGRAM_US: "speed/answer_us_p50",
    }  # fmt: skip
    return {name: found[own] for name, own in names.items() if own in found}
