from __future__ import annotations

from pathlib import Path

import pytest

from runner.best.plan import weights_at_hand
from runner.best.plan.weights_at_hand import WeightsAtHand


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked = list[str]()
    monkeypatch.setattr(weights_at_hand, "hub_answers", lambda: True)
    monkeypatch.setattr(weights_at_hand, "hub_has", lambda source: asked.append(source) or source == "on/hub")
    return asked


def test_weights_are_at_hand_in_a_folder_or_on_the_hub(tmp_path: Path, no_hub: list[str]) -> None:
    at_hand = WeightsAtHand()
    assert not at_hand(str(tmp_path)) and no_hub == [str(tmp_path)]
    (tmp_path / "model.safetensors").write_bytes(b"x")
    assert not at_hand(str(tmp_path)), "each is looked up once"
    assert WeightsAtHand()(str(tmp_path))
    assert at_hand("on/hub") and at_hand("on/hub") and not at_hand("off/hub")
    assert no_hub[1:] == ["on/hub", "off/hub"]
