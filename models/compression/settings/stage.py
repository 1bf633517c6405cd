"""What the settings of every compression stage have; standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass
class StageSettings:
    """What every stage has."""

    kind: ClassVar[str] = "learn"  # learn | prune | quantize
    starts: ClassVar[str] = "tuned"  # fresh: may be the first thing done to a model; tuned: is trained before
    needs: ClassVar[tuple[str, ...]] = ()  # of: teacher (an option of that name), encoder
    keeps_zeros: ClassVar[bool] = False  # leaves pruned weights at zero, so that it may follow a pruning

    method: str = ""  # a subclass: limited("<method>", choices=("<method>",))
    description: str = ""

    def contradictions(self, name: str) -> list[str]:
        """One line for each pair of options that cannot go together; name: what the command line calls the stage."""
        return []
