"""The thresholds of labels that a run fitted: the part `thresholds` of its record. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field

FILE = "thresholds.json"  # beside the weights: the threshold of each label by its name


@dataclass(frozen=True)
class ThresholdFacts:
    """The probability from which a label is predicted, fitted on the selection split.

    rule: one | per_label (data.threshold). values: (C,), in the order of the labels. unfitted: labels that keep 0.5,
    because none of the rows has them. reason: why nothing was fitted.
    """

    rule: str
    values: list[float] = field(default_factory=list)
    split: str | None = None
    rows: int = 0
    unfitted: list[str] = field(default_factory=list)
    reason: str | None = None

    def describe(self) -> str:
        """Return a line for tables and cards."""
        if not self.values:
            return f"0.5 for all: {self.reason}"
        low, high = min(self.values), max(self.values)
        shown = f"{low:.4f}" if low == high else f"{low:.4f} to {high:.4f}"
        kept = f"; 0.5 for {', '.join(self.unfitted)}, which no row has" if self.unfitted else ""
        return f"{shown}, from {self.rows:,} rows of {self.split}{kept}"
