"""When a dendrite is added, kept or taken away again, and when it is over; plain numbers, no torch.

A phase is one training of the whole network, with or without a new dendrite. It ends after `patience` epochs without
improvement (history) or after `epochs` of them (fixed), and the best epoch's weights are put back.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from models.compression.settings.learn import Dendrites

NEVER = 1 << 30  # epochs


@dataclass
class Control:
    """Where the growing stands; `state` is all of it as JSON."""

    options: Dendrites
    best: float  # score of the model that stands; higher is better
    count: int = 0  # phases that paid: dendrites, or restarts in the control
    failures: int = 0  # since one paid
    attempt: int = 0  # phases so far

    def goes_on(self) -> bool:
        """Is there another phase to try?"""
        return self.end() == ""

    def end(self) -> str:
        """Why there is no other phase; empty while there is one."""
        if self.options.mode == "base":
            return "mode=base adds nothing"
        if self.count >= self.options.maximum:
            return f"maximum={self.options.maximum} reached"
        if self.failures >= self.options.tries:
            return f"{self.failures} in a row did not pay (tries={self.options.tries})"
        if self.options.attempts is not None and self.attempt >= self.options.attempts:
            return f"attempts={self.options.attempts} made"
        return ""

    def phase(self, peak: float) -> dict[str, Any]:
        """What is different in the next phase's training from the run's own, whose peak rate is `peak`.

        Every phase begins its schedule anew: the restart of the learning rate that each arm of a comparison gets.
        """
        options, changes = self.options, dict[str, Any](keep_best=True)
        changes["lr"] = (options.lr or peak) * options.lr_factor**self.attempt
        changes["patience"] = options.patience if options.switch == "history" else NEVER
        if options.epochs is not None:
            changes["epochs"] = options.epochs
        return changes

    def observe(self, score: float) -> bool:
        """Take note of a finished phase's best score: does the phase pay, or is the model before it put back?"""
        self.attempt += 1
        pays = score > self.best + self.options.min_gain
        if pays:
            self.best, self.count, self.failures = score, self.count + 1, 0
        else:
            self.failures += 1
        return pays

    def state(self) -> dict[str, Any]:
        """What `resumed` needs beside the options."""
        found = asdict(self)
        del found["options"]
        return found


def resumed(options: Dendrites, state: dict[str, Any]) -> Control:
    """The control that a `state` was taken of."""
    return Control(options, **state)
