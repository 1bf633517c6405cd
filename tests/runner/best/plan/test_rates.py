from __future__ import annotations

import math
from pathlib import Path

import pytest

from runner.best.plan import rates
from runner.best.plan.rates import Rates, known_rates, rounded_rate


def test_rates_are_powers_of_the_square_root_of_two() -> None:
    assert rounded_rate(1000.0) == pytest.approx(1024) and rounded_rate(1300.0) == pytest.approx(1024 * math.sqrt(2))
    assert rounded_rate(1.06 * 1024) == rounded_rate(0.94 * 1024)


def test_rates_are_measured_once_for_a_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured, said = [Rates(1.0, 2.0, 4.0), Rates(8.0, 8.0, 8.0)], list[str]()
    monkeypatch.setattr(rates, "measure_rates", lambda _device: measured.pop(0))
    assert known_rates(tmp_path, "a", said.append) == known_rates(tmp_path, "a", said.append) == Rates(1.0, 2.0, 4.0)
    assert known_rates(tmp_path, "b", said.append) == Rates(8.0, 8.0, 8.0) and len(said) == 2
    assert known_rates(tmp_path, "a", said.append) == Rates(1.0, 2.0, 4.0)
    (tmp_path / "best" / "rates.json").write_text("[]", encoding="utf-8")
    measured.append(Rates(1.0, 1.0, 1.0))
    assert known_rates(tmp_path, "a", said.append) == Rates(1.0, 1.0, 1.0)


def test_this_machine_has_three_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(rates, "ROUND_S", 0.01)
    found = rates.measure_rates(torch.device("cpu"))
    assert min(found.sparse, found.embedding, found.dense) > 1e4
    assert found.dense == rounded_rate(found.dense)
