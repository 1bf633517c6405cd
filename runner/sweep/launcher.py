"""Every combination, as Hydra's own sweeper makes them, and what became of each on whatever machine it ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

from runner.terminal import comparison

if TYPE_CHECKING:
    from hydra.core.utils import JobReturn


class Grid(BasicSweeper):
    """Hydra's basic sweeper, which also keeps what its jobs returned."""

    returned: ClassVar[list[JobReturn]] = []  # hydra.main gives the results to nobody

    def sweep(self, arguments: list[str]) -> Any:
        """Run every combination; the results of each batch. Raises what a launcher raises."""
        batches = super().sweep(arguments)
        Grid.returned[:] = [result for batch in batches for result in batch]
        records = [getattr(result.return_value, "record", None) for result in Grid.returned]
        comparison([record for record in records if record])
        return batches
