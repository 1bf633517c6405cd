"""The settings of the search for the lengths of each layer."""

from __future__ import annotations

from dataclasses import dataclass

from models.settings import limited


@dataclass
class LengthSearch:
    """Which lengths to try, on how many rows, and which to keep; conf/compression/length.yaml explains the options."""

    method: str = limited("evolution", choices=("evolution", "greedy", "geometric"))
    cost: str = limited("macs", choices=("macs", "latency"))
    drop: float = limited(0.4, above=0.0, high=0.95)
    population: int = limited(12, low=1, high=1000)
    iterations: int = limited(5, low=0, high=1000)
    mutations: int = limited(10, low=0, high=1000)
    crossovers: int = limited(10, low=0, high=1000)
    mutation_share: float = limited(0.5, above=0.0, high=1.0)
    rows: int | None = limited(500, low=2)
    batch: int = limited(1, low=1)
    budget: float | None = limited(None, above=0.0, high=1.0)
    at_most_loss: float | None = limited(0.01, low=0.0)

    def contradictions(self, name: str) -> list[str]:
        """Two conflicting criteria for the configuration to keep."""
        if self.budget is None or self.at_most_loss is None:
            return []
        return [
            f"compression.{name}.search.budget and compression.{name}.search.at_most_loss both say which lengths the "
            f"model keeps. Try: compression.{name}.search.at_most_loss=null"
        ]
