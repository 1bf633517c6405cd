"""Makes, scores and stores the answers of a cascade to the reported rows, from both models' stored answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from data.part_file import written_whole
from runner.cascade.choose import Chosen
from runner.cascade.pair import Pair
from runner.cascade.rows import BothAnswers
from runner.errors import ConfigError
from runner.record.predictions import read_predictions
from runner.record.record import ClassReport
from runner.statistics.auroc_first import margins_of
from runner.statistics.deferral import net_loss_interval
from runner.tasks.make import task_of_record


@dataclass(frozen=True)
class Evaluation:
    """The metrics of the reported split, the report on each class by split, and how many rows there are."""

    metrics: dict[str, float]
    reports: dict[str, ClassReport]
    rows: int


def by_small(rows: BothAnswers, chosen: Chosen) -> np.ndarray:
    """Return which rows the small model answers, (rows,) bool."""
    return np.asarray(rows.confidence >= chosen.found.threshold)


def evaluate(pair: Pair, rows: BothAnswers, chosen: Chosen) -> Evaluation:
    """Return the scores of the cascade with intervals, and its paired loss against the large model."""
    split, record, taken = rows.split, pair.large.record, by_small(rows, chosen)
    task, stored = task_of_record(record), read_predictions(pair.large.folder, rows.split, record)
    if stored is None:
        raise ConfigError(f"run {record.identity} has no stored answers of {split}. Try: run it again with force=true")
    answers = replace(stored, columns={**stored.columns, **scored_columns(given_shares(rows, taken))})
    names = tuple(dict.fromkeys((*task.metrics, *task.always_recorded)))
    found = {f"{split}/{name}": value for name, value in task.evaluate(answers, names).items()}
    for name in task.metrics:
        low, high = task.score(name).interval(answers)
        found |= {f"{split}/{name}_low": low, f"{split}/{name}_high": high}
    found[f"{split}/examples"] = float(len(rows))
    found |= against_large(rows, taken, chosen)
    for part, side in zip(("small", "large"), pair.sides):
        primary = side.record.metrics.get(side.record.data.primary)
        found |= {} if primary is None else {f"cascade/{part}_score": primary}
    if "baseline/majority" in record.metrics:
        found["baseline/majority"] = record.metrics["baseline/majority"]
    report = task.report(answers)
    return Evaluation(found, {split: ClassReport(**report)} if report else {}, len(rows))


def given_shares(rows: BothAnswers, taken: np.ndarray) -> np.ndarray:
    """Return the probabilities (rows, C) of the model that answers each row; taken: (rows,) those of the small one."""
    return np.where(taken[:, None], rows.small, rows.large)


def scored_columns(shares: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns that scores use of probabilities (rows, C): the class, and the log odds against the first."""
    logarithms = np.log(np.maximum(shares, np.finfo(np.float64).tiny))
    return {"prediction": shares.argmax(axis=1), "margin": margins_of(logarithms)}


def scores_on(pair: Pair, rows: BothAnswers, chosen: Chosen) -> dict[str, float]:
    """Return the scores of the cascade on further rows, with intervals."""
    return {
        name: value for name, value in evaluate(pair, rows, chosen).metrics.items() if name.startswith(f"{rows.split}/")
    }


def against_large(rows: BothAnswers, taken: np.ndarray, chosen: Chosen) -> dict[str, float]:
    """Return the share that the small model answers, and the accuracy lost on these rows with its interval."""
    harms = int((taken & rows.large_right & ~rows.small_right).sum())
    helps = int((taken & rows.small_right & ~rows.large_right).sum())
    low, high = net_loss_interval(harms, helps, len(rows))
    found, bound = chosen.found, chosen.wanted.guarantee
    return {
        "cascade/by_small": float(taken.mean()), "cascade/threshold": found.threshold,
        "cascade/loss": (harms - helps) / len(rows), "cascade/loss_low": low, "cascade/loss_high": high,
        "cascade/calibration_rows": float(found.rows),
    } | ({} if bound == "none" else {"cascade/loss_bound": found.bound})  # fmt: skip


def write_answers(folder: Path, pair: Pair, rows: BothAnswers, chosen: Chosen) -> Path:
    """Store the answers to the reported rows as those of a run; logits are logarithms of the probabilities."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name, taken = f"predictions-{rows.split}.parquet", by_small(rows, chosen)
    shares = given_shares(rows, taken)
    scored = scored_columns(shares)
    with pa.OSFile(str(pair.large.folder / name)) as stream, pq.ParquetFile(stream) as file:
        table = file.read(use_threads=False)
    labels = pa.array(pair.large.record.data.labels)
    made = {column: pa.array(values) for column, values in scored.items()}
    made["prediction_name"] = labels.take(made["prediction"])
    logits = np.log(np.maximum(shares, np.finfo(np.float32).tiny)).astype(np.float32)
    made |= {f"logit_{place}": pa.array(logits[:, place]) for place in range(shares.shape[1])}
    for place, column in enumerate(table.column_names):
        if column in made:
            table = table.set_column(place, column, made[column])
    path = folder / name
    with written_whole(path) as part:
        pq.write_table(table, part)
    return path
