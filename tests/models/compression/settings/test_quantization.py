"""Settings of quantization: all of one kind, and rebuilt from what a saved model records."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from models.compression.settings import METHODS
from models.compression.settings.quantization import QuantizationSettings

INTEGER = [method for method, settings in METHODS.items() if issubclass(settings, QuantizationSettings)]


@pytest.mark.parametrize("method", INTEGER)
def test_the_entry_of_a_saved_model_gives_the_same_settings(method: str) -> None:
    chosen = METHODS[method](embedding_bits=4, head=False)  # type: ignore[call-arg]
    entry = {key: value for key, value in asdict(chosen).items() if key != "description"}
    assert METHODS[method](**entry) == chosen and chosen.phase == "quantize"
