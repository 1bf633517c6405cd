"""Decides when a dendrite is added, kept or removed, and when growth stops; plain numbers, no torch.

A phase trains the whole network once, with or without a new dendrite. It ends after `patience` epochs without
improvement (history) or after `epochs` epochs (fixed). The best epoch's weights are then restored.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from models.compression.settings.learn import Dendrites
from models.json_types import JsonObject

NEVER = 1 << 30  # epochs


@dataclass
class Growth:
    """The growth state; `state` returns it as JSON."""

    options: Dendrites
    best: float  # score of the current model; higher is better
    count: int = 0  # phases that improved the score: kept dendrites, or restarts in mode=restart
    failures: int = 0  # phases since the last improvement
    attempt: int = 0  # phases so far

    def should_continue(self) -> bool:
        """Is there another phase?"""
        return self.stop_reason() == ""

    def stop_reason(self) -> str:
        """Why there is no other phase; empty if there is one."""
        if self.options.mode == "base":
            return "mode=base adds nothing"
        if self.count >= self.options.maximum:
            return f"maximum={self.options.maximum} reached"
        if self.failures >= self.options.tries:
            return f"{self.failures} in a row did not help (tries={self.options.tries})"
        if self.options.attempts is not None and self.attempt >= self.options.attempts:
            return f"attempts={self.options.attempts} made"
        return ""

    def phase_changes(self, peak: float) -> JsonObject:
        """The training settings that the next phase overrides; peak: the run's peak learning rate.

        Every phase restarts the learning rate schedule, in every mode, so that modes can be compared.
        """
        options, changes = self.options, dict[str, Any](keep_best=True)
        changes["lr"] = (options.lr or peak) * options.lr_factor**self.attempt
        changes["patience"] = options.patience if options.switch == "history" else NEVER
        if options.epochs is not None:
            changes["epochs"] = options.epochs
        return changes

    def record_score(self, score: float) -> bool:
        """Record a phase's best score; did it improve enough? If not, the caller restores the model from before."""
        self.attempt += 1
        pays = score > self.best + self.options.min_gain
        if pays:
            self.best, self.count, self.failures = score, self.count + 1, 0
        else:
            self.failures += 1
        return pays

    def state(self) -> JsonObject:
        """Return the state that `resume_growth` needs in addition to the options."""
        found = asdict(self)
        del found["options"]
        return found


def resume_growth(options: Dendrites, state: JsonObject) -> Growth:
    """Rebuild the growth state from what `state` returned."""
    return Growth(options, **state)
