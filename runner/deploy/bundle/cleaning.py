"""Cleans texts before a model of a bundle reads them, as the rows that it was trained on were cleaned.

Imported by predict.py, beside which it lies, where a model's header has `cleaning`.
"""

from __future__ import annotations

from typing import Protocol

if __package__:
    from data.inputs.cleaning import clean_text, known_steps
else:  # copied into a bundle
    from cleaning_steps import clean_text, known_steps  # type: ignore[import-not-found,no-redef]


class Scorer(Protocol):
    """A model of texts, as predict.py asks it."""

    def score(self, *texts: str) -> list[float]: ...
    def length(self, *texts: str) -> int: ...


class Cleaned:
    """A scorer of texts that are cleaned first."""

    def __init__(self, scorer: Scorer, steps: object) -> None:
        """steps: their names, as a header lists them; raise ValueError for an unknown one."""
        self.scorer, self.steps = scorer, known_steps(steps)

    def score(self, *texts: str) -> list[float]:
        """Return the logits of a text, or of a pair of texts."""
        return self.scorer.score(*(clean_text(text, self.steps) for text in texts))

    def length(self, *texts: str) -> int:
        """Return the tokens of a text, or of a pair of texts, before any are cut."""
        return self.scorer.length(*(clean_text(text, self.steps) for text in texts))
