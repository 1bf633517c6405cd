"""Compares the outputs of an export with the trained model's, on rows of the run's data or else on built-in texts."""

from __future__ import annotations

import io
import wave
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from data.calibration import OUT_OF_FOLD
from data.errors import DataError
from data.load import load_splits
from data.settings import DataSettings
from data.sources.demo import generate_demo
from data.splits import TargetScale, TokenSplit
from models.heads.exits import Exits
from runner.config.compose import compose
from runner.deploy.predictor import Predictor
from runner.record.record import RunRecord
from runner.statistics.scores import as_rows
from runner.tasks.base import Task
from runner.tasks.make import task_of_record

TOLERANCE = 1e-4  # of a logit, in fp32; observed: 1e-7 to 1e-5
ROWS = 64  # compared, from the shortest to the longest: batches of 32 then are a third padding
BATCHES = (1, 32)  # batch 1 has no padding, which takes another path through the model
SCORED = 2000  # rows at most, for the scores of both


@dataclass(frozen=True)
class Parity:
    """The distance between the export's logits and the model's; scores only where the rows have labels."""

    rows: int
    source: str
    difference: float  # the largest absolute difference of a logit; nan if one of either is no number
    scored: int = 0
    units: str = "rows"  # the word for what `scored` counts
    metric: str = ""
    trained: float = 0.0  # the score of the torch model on the scored rows
    exported: float = 0.0
    agreement: float = 0.0  # share of the scored items with the same prediction; 1 if answers are numbers

    def describe(self) -> dict[str, str | int | float]:
        """Return the object in deploy.json."""
        return asdict(self)


def tolerated_difference(targets: dict[str, float] | None, exits: Exits | None = None) -> float:
    """Return how far an fp32 export's outputs may be from the model's, in the unit of the targets.

    targets: the mean and standard deviation with which training standardised, None if it did not; exits: those of
    the model, if it has any.
    """
    logit = max(TOLERANCE, exits.rounding()) if exits else TOLERANCE
    return TargetScale(**targets).tolerance(logit) if targets else logit


def compare_logits(
    trained: Predictor, exported: Predictor, split: TokenSplit, source: str, task: Task | None
) -> Parity:
    """Compare the logits on rows of `split`, and the scores where there is a task; None for texts without labels."""
    rows = evenly_by_length(split.lengths, ROWS)
    some = split.take(rows)
    apart = [np.abs(trained.logits(some, n) - exported.logits(some, n)).max() for n in BATCHES]
    found = Parity(len(rows), source, float(np.max(apart)))  # not max(), which may drop nan
    return found if task is None else _scored(found, trained, exported, split, task)


def _scored(found: Parity, trained: Predictor, exported: Predictor, split: TokenSplit, task: Task) -> Parity:
    """Add the headline metric of both models, and how often their predictions agree."""
    some = scored_rows(split)
    metric = task.metrics[0]
    logits = [predictor.logits(some, BATCHES[-1]) for predictor in (trained, exported)]
    answers = [task.answers(values, some) for values in logits]
    scores, units = [task.score(metric).value(found) for found in answers], as_rows(task.score(metric).units)
    same = float(np.mean(answers[0]["prediction"] == answers[1]["prediction"])) if task.facts.names else 1.0
    return replace(
        found, scored=len(answers[0]), units=units, metric=metric, trained=scores[0], exported=scores[1], agreement=same
    )


def scored_rows(split: TokenSplit) -> TokenSplit:
    """At most SCORED rows with all their windows, which are answered together; of a ranking whole queries, in order."""
    if split.units is not None:
        return split.take_sources(split.units.first(SCORED))
    lengths = split.lengths if split.parts is None else np.add.reduceat(split.lengths, np.asarray(split.parts)[:-1])
    return split.take_sources(evenly_by_length(lengths, SCORED))


@dataclass(frozen=True)
class RowsToCompare:
    """Rows to compare models on: of the run's reported split, else built-in texts, which have no task."""

    split: TokenSplit
    source: str  # for messages
    task: Task | None = None
    calibration: TokenSplit | None = None  # the split by which probabilities are calibrated


def rows_to_compare(record: RunRecord, trained: Predictor) -> RowsToCompare:
    """Return the rows of the run's own data, else built-in texts."""
    settings = DataSettings(**record.config["data"])
    try:
        splits = load_splits(
            settings,
            tokenizer=str(trained.exported.folder),
            vocab_size=0,
            special_tokens=bool(record.setting("model.special_tokens", True)),
            cache=Path(compose([]).paths.cache).expanduser(),
        )
    except DataError as error:
        reason = str(error).split(". ")[0]
        what = "tones" if trained.exported.reads_sounds else "texts"
        return RowsToCompare(
            built_in_texts(trained), f"built-in {what}, since the run's data are unavailable ({reason})"
        )
    split = splits.report[0]
    by_folds = record.data.calibration == OUT_OF_FOLD  # then all rows train, those that select too
    rows = None if by_folds else splits.calibration
    return RowsToCompare(split, f"{settings.name}, {split.name}", task_of_record(record), rows)


def built_in_texts(trained: Predictor) -> TokenSplit:
    """Generated English texts, or tones, of several lengths, for models whose data are unavailable."""
    if trained.exported.reads_sounds:
        return trained.ask([tone(hertz) for hertz in np.geomspace(100, 2000, ROWS)]).split
    kind = "entailment" if trained.exported.is_pair else "sentiment"
    rows = generate_demo(kind, ROWS, seed=0)
    texts = [" ".join([text] * (1 + index % 4)) for index, (text, _, _) in enumerate(rows)]
    return trained.ask(texts, [pair or "" for _, pair, _ in rows] if trained.exported.is_pair else None).split


def tone(hertz: float, rate: int = 8000) -> bytes:
    """Return the content of a WAV file with a sine wave of up to 4 seconds; longer ones have a higher pitch."""
    count = round(rate * min(4.0, hertz / 500))
    samples = 16000 * np.sin(2 * np.pi * hertz * np.arange(count) / rate)
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setparams((1, 2, rate, count, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return stream.getvalue()


def evenly_by_length(lengths: np.ndarray, count: int) -> np.ndarray:
    """At most `count` row numbers, evenly spaced by length."""
    order = np.argsort(lengths, kind="stable")
    return np.asarray(order[np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)])
