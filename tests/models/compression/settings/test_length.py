"""Where in a chain lengths stand."""

from __future__ import annotations

import pytest

from models.compression.settings.chain import missing_requirements, out_of_order
from models.compression.settings.learn import Distil
from models.compression.settings.length import Length
from models.compression.settings.pruning import Magnitude
from models.compression.settings.quantization import WeightOnly


def test_lengths_come_after_learning_and_pruning_and_before_quantizing() -> None:
    chain = {"distil": Distil(), "magnitude": Magnitude(), "length": Length(), "int8": WeightOnly()}
    assert out_of_order(chain) == []  # type: ignore[arg-type]
    (found,) = out_of_order({"length": Length(), "magnitude": Magnitude()})
    assert "Try: compression=[magnitude,length]" in found


@pytest.mark.parametrize("has_encoder", [True, False])
def test_lengths_need_an_encoder(has_encoder: bool) -> None:
    found = missing_requirements({"length": Length()}, has_encoder=has_encoder)
    assert bool(found) is not has_encoder
