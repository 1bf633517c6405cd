"""Sections of a run's page that show how it answers: classes, reliability of its probabilities, numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from runner.record.predictions import calibrated_probabilities, read_logits, read_predictions
from runner.record.record import ClassReport, RunRecord
from runner.report.confusion import MOST_NUMBERS, confusion
from runner.report.frame import colour, frame, percent
from runner.report.markup import Markup, join, tag
from runner.report.page import Section, choices, folded
from runner.report.reliability import Answers, Bin, reliability
from runner.report.scales import Scale
from runner.report.tables import Cell, Heading, table
from runner.statistics.ece import reliability_bins
from runner.statistics.probabilities import softmax

MOST_DRAWS = 2_000_000  # draws of labels for the band of a perfectly calibrated model
DRAWS = 200
MOST_DOTS = 400  # of predictions against labels


def class_section(record: RunRecord) -> list[Section]:
    """Return the scores of each class and the confusion matrix, for each reported split; [] without classes."""
    first = record.data.primary.partition("/")[0]
    splits = sorted(record.reports, key=lambda split: split != first)
    figures = [(split, _classes(record.reports[split])) for split in splits if record.reports[split].classes]
    has_matrix = any(report.confusion for report in record.reports.values())
    told = ["Rows of the matrix are labels, columns answers; the tint is the share of the row."] if has_matrix else []
    return [Section("Classes", choices(figures), "classes", told)] if figures else []


def _classes(report: ClassReport) -> Markup:
    titles: list[Heading | str] = [
        "class",
        *(Heading(title, True) for title in ("rows", "answered", "precision", "recall", "F1")),
    ]
    columns = report.classes, report.support, report.predicted, report.precision, report.recall, report.f1
    lines: list[list[Cell | str]] = [
        [name, Cell(f"{support:,}", support), Cell(f"{predicted:,}", predicted),
         *(Cell(f"{share:.4f}", share) for share in shares)]
        for name, support, predicted, *shares in zip(*columns)
    ]  # fmt: skip
    scores = table(titles, lines, is_sortable=True)
    if report.confusion is None:
        return scores
    matrix = confusion(report.classes, report.confusion)
    if len(report.classes) <= MOST_NUMBERS:
        return tag("div", matrix, scores, class_="beside")
    return join([matrix, tag("h3", "Scores of each class"), folded(f"{len(report.classes)} classes", scores)])


def reliability_section(record: RunRecord, folder: Path, split: str = "") -> list[Section]:
    """Return the reliability diagram: confidence against accuracy, before and after calibration.

    [] if no logits are stored. split: by default the reported one whose score is the headline.
    """
    split = split or record.data.primary.partition("/")[0]
    found = read_logits(folder, split, record)
    if found is None or not len(found[1]):
        return []
    logits, labels = found
    is_known = np.isfinite(logits).all(axis=1)
    logits, labels = logits[is_known], labels[is_known]
    if not len(labels):
        return []
    shares, plain = calibrated_probabilities(record, logits), softmax(logits)
    metrics = record.metrics
    is_calibrated = record.is_calibrated
    last = Answers("calibrated" if is_calibrated else "score", _bins(shares, labels), _ece(metrics, f"{split}/ece"))
    shown = [last]
    if is_calibrated and not np.allclose(shares, plain):
        shown.insert(0, Answers("before", _bins(plain, labels), _ece(metrics, f"{split}/ece_uncalibrated")))
    return [Section("Reliability", reliability(shown), "reliability", _sentences(record, split))]


def _bins(shares: np.ndarray, labels: np.ndarray) -> list[Bin]:
    draws = max(20, min(DRAWS, MOST_DRAWS // len(labels)))
    found = reliability_bins(shares.max(axis=1), shares.argmax(axis=1) == labels, draws=draws)
    return [Bin(one.confidence, one.right, one.count, one.low, one.high) for one in found]


def _ece(metrics: dict[str, float], name: str) -> str:
    return f"(ECE {metrics[name]:.4f})" if name in metrics else ""


def _sentences(record: RunRecord, split: str) -> list[str]:
    """Return sentences on how the probabilities were calibrated and whether their error is more than chance."""
    facts, metrics = record.calibration, record.metrics
    if facts is None or not facts.is_calibrated:
        why = f": {facts.reason}" if facts is not None and facts.reason else ""
        return [f"Not calibrated{why}. The confidence is a score, not a probability."]
    told = [
        f"Calibrated by {facts.how} on {facts.rows:,} rows of {facts.split}."
        + (f" {facts.reason}." if facts.reason else "")
    ]
    found, high, floor = (metrics.get(f"{split}/{name}") for name in ("ece", "ece_floor_95", "ece_floor"))
    if found is None or high is None or floor is None:
        return told
    if found <= high:
        told.append(
            f"No miscalibration visible: a perfectly calibrated model has an ECE of up to {high:.4f} on these rows."
        )
    else:
        told.append(f"Off by about {found:.3f} on average; a perfectly calibrated model would be off by {floor:.3f}.")
    return told


def scatter_section(record: RunRecord, folder: Path) -> list[Section]:
    """Return predictions against labels where both are numbers; [] for classes, tags and words."""
    split = record.data.primary.partition("/")[0]
    found = read_predictions(folder, split, record) if not (record.data.labels or record.reports) else None
    if found is None or found.offsets is not None or not {"label", "prediction"} <= found.columns.keys():
        return []
    labels, given = (np.asarray(found[name], np.float64) for name in ("label", "prediction"))
    chosen = np.unique(np.linspace(0, len(labels) - 1, MOST_DOTS).astype(int))[: len(labels)]
    pairs = [(float(labels[i]), float(given[i])) for i in chosen if np.isfinite(labels[i]) and np.isfinite(given[i])]
    if not pairs:
        return []
    scale = Scale.over(value for pair in pairs for value in pair)
    dots = [
        tag("circle", class_=f"point {colour(0)} off", cx=percent(scale.at(label)), cy=percent(1 - scale.at(answer)),
            r="3", data_tip=f"label {label:.4g}\nprediction {answer:.4g}")
        for label, answer in pairs
    ]  # fmt: skip
    line = tag("line", class_="front", x1="0", y1="100%", x2="100%", y2="0")
    drawn = frame(scale, scale, join([line, *dots]), x_title="label", y_title="prediction", height=320,
                  name="predictions against labels")  # fmt: skip
    told = f"{len(pairs):,} of {len(labels):,} rows of {split}; on the dashed line both are the same."
    return [Section("Predictions against labels", tag("div", drawn, class_="square"), "numbers", [told])]
