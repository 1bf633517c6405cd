"""A model that is probed: its layers, and the longest text that it reads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from data.stores.build_once import SharedCache
from runner.errors import ConfigError
from runner.probing.probed import open_probed
from runner.probing.wanted import LAYER_0, Wanted
from runner.record.subject import Subject


def test_the_layers_are_those_that_are_wanted(place: Path, run_id: str) -> None:
    cache, subject = SharedCache(place / "cache"), Subject(str(place / "outputs" / run_id / "model"), "tiny")
    wanted = Wanted(("demo",), ("mean", "cls"), (0, 1, 9), "linear", (0,), False, True, False, LAYER_0, 1, "cpu")
    probed = open_probed(subject, wanted, cache, torch.device("cpu"))
    assert [cell.name for cell in probed.cells(("mean", "cls"))] == ["mean_0", "mean_1", "cls_0", "cls_1"]
    assert probed.longest(7) == 7 and probed.longest(10**9) == probed.network.longest_input()
    none = Wanted(("demo",), ("mean",), (9,), "linear", (0,), False, True, False, LAYER_0, 1, "cpu")
    with pytest.raises(ConfigError, match=r"tiny has only layers 0 to 2. Try: layers=2"):
        open_probed(subject, none, cache, torch.device("cpu"))
