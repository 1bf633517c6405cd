"""How the logits of a run become probabilities: the part `calibration` of its record. Standard library only.

The stored predictions keep raw logits; every form of the model answers with `calibrated_probabilities` of
predictions.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

FILE = "calibration.json"  # beside the weights
TEMPERATURE, VECTOR, NONE = METHODS = ("temperature", "vector", "none")
# Scores of probabilities, named without the split; a run's table has only those of SHOWN_SCORES.
SHOWN_SCORES = ("ece", "auroc")
FURTHER_SCORES = (
    "ece_floor", "ece_floor_95", "ece_debiased", "ece_equal_width", "brier", "log_loss", "average_precision",
    "ece_uncalibrated", "brier_uncalibrated", "log_loss_uncalibrated",
)  # fmt: skip
OFF = "off"  # of the setting `calibration`, beside the first two methods


@dataclass(frozen=True)
class CalibrationFacts:
    """How the logits were calibrated, fitted on those of the calibration rows.

    method: temperature (p = softmax(z / temperature), with a power other than 1 as in
    runner/statistics/adaptive_temperature.py), vector (p = softmax(weights * z + shifts)), or none: softmax(z),
    which is then called a score. reason: why nothing is fitted, or why the temperature is 1. ratio: the likelihood
    ratio of the temperature over 1. of: the SHA-256 of each file of weights that uses it. folds: the runs of
    the folds whose answers it was fitted to, each to the rows that the run held out; [] for the run's own answers.
    """

    method: str = NONE
    temperature: float = 1.0
    power: float = 1.0
    weights: list[float] = field(default_factory=list)  # (C,) of vector scaling
    shifts: list[float] = field(default_factory=list)  # (C,)
    split: str | None = None
    rows: int = 0
    ratio: float | None = None
    reason: str | None = None
    of: list[str] = field(default_factory=list)
    folds: list[str] = field(default_factory=list)

    @property
    def is_calibrated(self) -> bool:
        """May the shares be called probabilities?"""
        return self.method != NONE

    @property
    def how(self) -> str:
        """Name the method with its numbers."""
        if self.method == VECTOR:
            return "vector scaling"
        return f"temperature {self.temperature:.3g}" + (f" with power {self.power:.3g}" if self.power != 1 else "")

    def describe(self) -> str:
        """Return a line for tables and cards."""
        if not self.is_calibrated:
            return f"none, only raw scores: {self.reason}"
        rows = f"from {self.rows:,} rows of {self.split}"
        if self.folds:
            rows = f"from the answers to {self.rows:,} training rows by {len(self.folds)} runs that held them out"
        if self.method == VECTOR:
            return f"{self.how}, {rows}"
        if self.temperature == self.power == 1:
            return f"none needed: {self.reason}"
        return f"{self.how}, {rows}" + (f" ({self.reason})" if self.reason else "")
