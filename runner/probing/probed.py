"""A model whose layers are probed, ready to read sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from data.inputs.tokenizer import Tokenizer
from data.stores.build_once import SharedCache
from models.network import Network
from runner.errors import ConfigError
from runner.probing.encoder import open_subject
from runner.probing.features import Cell, cells_of
from runner.probing.wanted import Wanted
from runner.record.subject import Subject


@dataclass(frozen=True)
class Probed:
    """A network, and which of its vectors are probed."""

    label: str  # as messages call it
    network: Network
    tokenizer: Tokenizer
    wanted: Wanted
    cache: SharedCache
    device: torch.device

    def longest(self, most: int) -> int:
        """Return the length of the longest text that is read, in tokens: `most`, or fewer if the model reads fewer."""
        return min(most, self.network.longest_input() or most)

    def cells(self, pools: Sequence[str]) -> list[Cell]:
        """Return the probed cells: these poolings of the requested layers."""
        known = cells_of(self.network, tuple(pools))
        return [cell for cell in known if self.wanted.layers is None or cell.layer in self.wanted.layers]


@dataclass(frozen=True)
class Models:
    """A model and those that it is compared with."""

    probed: Probed
    twin: Network | None  # of the same shape, with random weights
    given: Probed | None  # whose last layer is known before


def open_probed(subject: Subject, wanted: Wanted, cache: SharedCache, device: torch.device) -> Probed:
    """Open a model; layers that it lacks are left out. ConfigError if it has none of the requested ones."""
    network, tokenizer = open_subject(subject)
    probed = Probed(subject.label, network, tokenizer, wanted, cache, device)
    if not probed.cells(wanted.pools):
        layers = network.bert.state_shape()[1]
        raise ConfigError(f"run probe: {subject.label} has only layers 0 to {layers}. Try: layers={layers}")
    return probed
