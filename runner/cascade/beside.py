"""Compares a cascade with other ways to save time, at equal mean time: lengths, exits, smaller models, fewer bits.

run cascade small=ID large=ID beside=ID,ID beside=DIR,DIR        # each beside= is one way, with one or more points

All models answer the same reported texts alternately, so that times and accuracies are measured on the same texts and
machine.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from runner.cascade.equal_time import AtTime, Point, at_equal_time
from runner.cascade.make import Measuring, NewCascade
from runner.cascade.rows import read_data
from runner.cascade.timing import texts_to_time, time_in_turns
from runner.deploy.answer_table import Answer
from runner.deploy.bundle.rejection import MOST_PROBABLE
from runner.deploy.exported import ExportedModel, find_model
from runner.deploy.predictors import open_predictor
from runner.deploy.rejecting import open_answering
from runner.errors import ConfigError
from runner.record.folder import run_folder
from runner.record.table import say_below, widen
from runner.sanitize import escape

if TYPE_CHECKING:
    from rich.console import Console

FILE = "equal_time.csv"
CASCADE_NAME, LARGE_NAME = "this cascade", "the large model alone"


@dataclass(frozen=True)
class Way:
    """One way to save time: models of different speed."""

    name: str
    models: tuple[ExportedModel, ...]


@dataclass(frozen=True)
class Beside:
    """The score of each way at the cascade's mean time. ms: that time; texts: how many were timed."""

    ms: float
    texts: int
    curves: dict[str, list[Point]]
    found: list[AtTime]


def open_ways(words: Sequence[str], output: Path, large: ExportedModel) -> list[Way]:
    """Return the named models, one way for each word; raise ConfigError for one that answers with other labels.

    words: ids, run folders or exports, joined by commas.
    """
    found = []
    for word in words:
        models = []
        for source in filter(None, word.split(",")):
            named = run_folder(source)
            model = find_model(source, named.parent if named else output, "auto")
            if (model.task, model.labels, len(model.columns)) != (large.task, large.labels, len(large.columns)):
                raise ConfigError(
                    f"beside={word}: {source} has other labels or reads other texts than {large.identity}. "
                    "Try: models of the same data"
                )
            models.append(model)
        if not models:
            raise ConfigError("beside=: names no model. Try: beside=<id>,<id>")
        found.append(Way(word, tuple(models)))
    return found


def compare_ways(wanted: NewCascade, ways: Sequence[Way], cache: Path, measuring: Measuring) -> Beside:
    """Run all models and return their points; raise ConfigError if the reported texts cannot be read."""
    rows = read_data(wanted.pair.large, wanted.reported.split, cache)
    if isinstance(rows, str):
        raise ConfigError(f"beside=: {rows}. Try: leave beside= out")
    models = [side.model for side in wanted.pair.sides]
    asked = [open_predictor(model, measuring.threads) for model in models]
    asked += [open_answering(model, measuring.threads) for way in ways for model in way.models]
    texts = texts_to_time(rows, wanted.reported.split)
    times, answers = time_in_turns(asked, texts, measuring.seconds, measuring.threads)
    names, labels = wanted.pair.large.model.labels, texts.labels[: len(answers)]
    found = [[names.index(one.get(MOST_PROBABLE, one["prediction"])) for one in given] for given in answers]
    is_right = np.array(found) == labels[:, None]
    confidence = np.array([confidence_of(given[0]) for given in answers])
    curve = cascade_curve(confidence, is_right, times)
    here = cascade_point(confidence >= wanted.chosen.found.threshold, is_right, times)
    points = [Point(float(ms), float(score)) for ms, score in zip(times.mean(0) / 1e3, is_right.mean(0))]
    curves, start = {CASCADE_NAME: [here, *curve], LARGE_NAME: [points[1]]}, len(models)
    for way in ways:
        curves[way.name] = points[start : start + len(way.models)]
        start += len(way.models)
    compared = at_equal_time({**curves, CASCADE_NAME: [here]}, here.ms)
    return Beside(here.ms, len(answers), curves, compared)


def confidence_of(answer: Answer) -> float:
    """Return the largest probability of an answer."""
    return float(max(answer["probabilities"].values()))


def cascade_point(by_small: np.ndarray, is_right: np.ndarray, times: np.ndarray) -> Point:
    """Return mean time and accuracy where the small model answers these texts, (texts,) bool.

    is_right, times: (texts, models), small and large first; times in microseconds.
    """
    spent = times[:, 0] + np.where(by_small, 0.0, times[:, 1])
    return Point(float(spent.mean()) / 1e3, float(np.where(by_small, is_right[:, 0], is_right[:, 1]).mean()))


def cascade_curve(confidence: np.ndarray, is_right: np.ndarray, times: np.ndarray) -> list[Point]:
    """Return the points of a cascade at thresholds that are a tenth of the texts apart."""
    thresholds = np.quantile(confidence, np.linspace(0, 1, 11))
    return [cascade_point(confidence >= threshold, is_right, times) for threshold in thresholds]


def write_curves(folder: Path, beside: Beside) -> Path:
    """Write all points as equal_time.csv."""
    path = folder / FILE
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["way", "ms", "accuracy", "texts"])
        for name, points in beside.curves.items():
            writer.writerows([name, f"{point.ms:.4f}", f"{point.score:.6f}", beside.texts] for point in points)
    return path


def show_beside(beside: Beside, console: Console) -> None:
    """Print the score of each way to save time at the cascade's mean time."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    widen(console)
    title = f"at {beside.ms:,.3g} ms a text, on the same {beside.texts:,} texts"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("way", overflow="fold")
    for column in ("accuracy", "fastest ms", "slowest ms", "accuracy then"):
        table.add_column(column, justify="right", no_wrap=True)
    for way in beside.found:
        score = "too slow" if way.score is None else f"{way.score:.4f}"
        table.add_row(escape(way.name), score, f"{way.fastest.ms:,.3g}", f"{way.slowest.ms:,.3g}",
                      f"{way.slowest.score:.4f}")  # fmt: skip
    console.print(table)
    say_below("accuracy: interpolated between the two points around that time; one more text is "
              f"{1 / beside.texts:.4f}", console)  # fmt: skip
