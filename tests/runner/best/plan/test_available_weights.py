from __future__ import annotations

from pathlib import Path

import pytest

from runner.best.plan import available_weights
from runner.best.plan.available_weights import AvailableWeights


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked = list[str]()
    monkeypatch.setattr(available_weights, "hub_answers", lambda: True)
    monkeypatch.setattr(available_weights, "hub_has", lambda source: asked.append(source) or source == "on/hub")
    return asked


def test_weights_are_available_in_a_folder_or_on_the_hub(tmp_path: Path, no_hub: list[str]) -> None:
    is_available = AvailableWeights()
    assert not is_available(str(tmp_path)) and no_hub == [str(tmp_path)]
    (tmp_path / "model.safetensors").write_bytes(b"x")
    assert not is_available(str(tmp_path)), "each is looked up once"
    assert AvailableWeights()(str(tmp_path))
    assert is_available("on/hub") and is_available("on/hub") and not is_available("off/hub")
    assert no_hub[1:] == ["on/hub", "off/hub"]
