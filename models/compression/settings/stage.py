"""The settings that all compression stages have; standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass
class StageSettings:
    """Settings of a stage; class variables define where in a chain the method may be used."""

    phase: ClassVar[str] = "learn"  # learn | prune | shorten | quantize | exits
    needs_encoder: ClassVar[bool] = False
    keeps_zeros: ClassVar[bool] = False  # leaves pruned weights at zero, so that it may follow pruning
    # Why, after this stage, cross-validation models do not represent the model of all rows; "" if they do.
    not_on_folds: ClassVar[str] = ""

    method: str = ""  # a subclass: limited("<method>", choices=("<method>",))
    description: str = ""

    @property
    def replaces_training(self) -> bool:
        """May the stage replace plain training, because it trains an untrained model itself?"""
        return False

    @property
    def keeps_codes(self) -> bool:
        """Does the stage leave all weights unchanged, so that it may follow a quantized run?"""
        return False

    @property
    def keeps_share(self) -> bool:
        """Does the stage keep a given share of the weights, `density`?"""
        return False

    def without_effect(self) -> dict[str, str]:
        """Options that the values of others switch off, each with the value that would give it an effect.

        Nested options are joined by dots, as on the command line.
        """
        return {}

    def contradictions(self, name: str) -> list[str]:
        """A one-line message for each contradiction between options; name: the stage's name on the command line."""
        return []
