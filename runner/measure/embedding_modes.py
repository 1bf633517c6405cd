"""Models whose embedding can be computed in several modes: timed in each, so that no size goes with another's speed."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn


def _embedding(model: nn.Module) -> Any:
    """The module with modes, None where there is none."""
    return next((module for module in model.modules() if hasattr(module, "regenerable_bytes")), None)


def mode_of(model: nn.Module) -> str:
    """The mode in use."""
    return str(_embedding(model).mode)


def in_other_modes(model: nn.Module) -> dict[str, nn.Module]:
    """A copy of the model in each other mode, by mode; empty for a model without modes."""
    embedding, found = _embedding(model), dict[str, nn.Module]()
    for mode in embedding.regenerable_bytes() if embedding else ():
        if mode != embedding.mode:
            found[mode] = copy.deepcopy(model)
            _embedding(found[mode]).mode = mode
    return found
