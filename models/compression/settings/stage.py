"""The settings that every compression stage has; standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass
class StageSettings:
    """Settings of a stage; class variables say where in a chain the method may stand."""

    phase: ClassVar[str] = "learn"  # learn | prune | shorten | quantize | exits
    needs_encoder: ClassVar[bool] = False
    keeps_zeros: ClassVar[bool] = False  # leaves pruned weights at zero, so that it may follow a pruning
    # Why models of folds do not stand for the model of all rows after this stage, in words; "": they do.
    not_on_folds: ClassVar[str] = ""

    method: str = ""  # a subclass: limited("<method>", choices=("<method>",))
    description: str = ""

    @property
    def replaces_training(self) -> bool:
        """May the stage come first in place of the plain training, because it trains an untrained model itself?"""
        return False

    @property
    def keeps_codes(self) -> bool:
        """Does the stage change no weight of the model, so that it may follow a run that was quantized?"""
        return False

    def contradictions(self, name: str) -> list[str]:
        """One line for each pair of options that cannot go together; name: what the command line calls the stage."""
        return []
