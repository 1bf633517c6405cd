"""Cleans texts before a model of a bundle reads them, as the rows that it was trained on were cleaned.

Imported by predict.py, beside which it lies, where a model's header has `cleaning`.
"""

from __future__ import annotations

from typing import Any

if __package__:
    from data.inputs.cleaning import clean_text, known_steps
else:  # copied into a bundle
    from cleaning_steps import clean_text, known_steps  # type: ignore[import-not-found,no-redef]


class Cleaned:
    """A scorer of texts that are cleaned first."""

    def __init__(self, scorer: Any, steps: object) -> None:
        """steps: their names, as a header lists them; ValueError for an unknown one."""
        self.scorer, self.steps = scorer, known_steps(steps)

    def score(self, *texts: str) -> list[float]:
        """The logits of a text, or of a pair of texts."""
        found: list[float] = self.scorer.score(*(clean_text(text, self.steps) for text in texts))
        return found

    def length(self, *texts: str) -> int:
        """The tokens of a text, or of a pair of texts, before any are cut."""
        found: int = self.scorer.length(*(clean_text(text, self.steps) for text in texts))
        return found
