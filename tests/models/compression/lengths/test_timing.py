"""The table that predicts how long a model takes at given lengths."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from models.backbones.lengths import Lengths
from models.compression.lengths.timing import AtLengths, full_length, load_or_measure, measure_choices
from models.compression.methods import make_stage
from models.compression.settings import METHODS
from models.compression.structured.layer_widths import encoder_of, widths, without_sublayers
from tests.models.compression.lengths.watch import WatchContext
from tests.models.compression.row_context import applied
from tests.models.helpers import batch, small

SOME = [None, Lengths((0.9, 0.8, 0.7)), Lengths((0.5, 1.0, 0.4)), Lengths((40, 20, 20), "absolute")]


class CallingContext(WatchContext):
    """Calls every model that it times, too."""

    def times(self, models: Mapping[str, nn.Module], *, batch: int = 1, length: int = 128, seconds: float) -> Any:
        for one in models.values():
            assert one(input_ids=torch.ones(batch, length, dtype=torch.int64)).isfinite().all()
        return super().times(models, batch=batch, length=length, seconds=seconds)


def model() -> object:
    return small(layers=3, readout={"name": "mean"})


@pytest.mark.parametrize("slower", [1.0, 3.7])
def test_a_table_predicts_the_times_of_lengths_that_it_never_timed(tmp_path: Path, slower: float) -> None:
    watch, network = WatchContext(tmp_path, slower=slower), model()
    table = load_or_measure(network, watch, batch=1, longest=64)  # type: ignore[arg-type]
    for count in (16, 40, 64):
        measured = measure_choices(network, watch, SOME, 1, count)  # type: ignore[arg-type]
        assert [table.predict(lengths, count) for lengths in SOME] == pytest.approx(measured, rel=0.03)


def test_a_machine_times_a_shape_once_whatever_lengths_it_has(tmp_path: Path) -> None:
    watch, network = WatchContext(tmp_path), model()
    first = load_or_measure(network, watch, batch=1, longest=64)  # type: ignore[arg-type]
    timed = len(watch.timed)
    encoder_of(network).lengths = SOME[1]  # type: ignore[arg-type]
    again = load_or_measure(network, watch, batch=1, longest=64)  # type: ignore[arg-type]
    assert (again.digest, len(watch.timed)) == (first.digest, timed)
    assert load_or_measure(network, watch, batch=8, longest=64) is not None  # type: ignore[arg-type]
    assert len(watch.timed) == 2 * timed


def test_a_mean_time_weighs_every_text_the_same(tmp_path: Path) -> None:
    table = load_or_measure(model(), WatchContext(tmp_path), batch=1, longest=64)  # type: ignore[arg-type]
    times = [table.predict(SOME[1], count) for count in (20, 20, 50)]
    assert table.mean(SOME[1], np.array([20, 50, 20])) == pytest.approx(np.mean(times))
    assert table.share(None, np.array([20, 50])) == 1.0


def test_a_damaged_table_is_measured_again(tmp_path: Path) -> None:
    watch, network = WatchContext(tmp_path), model()
    first = load_or_measure(network, watch, batch=1, longest=64)  # type: ignore[arg-type]
    for path in (tmp_path / "speed").glob("*.json"):
        path.write_text("{", encoding="utf-8")
    assert load_or_measure(network, watch, batch=1, longest=64).digest == first.digest  # type: ignore[arg-type]


def test_models_at_lengths_share_their_weights_and_get_their_own_back() -> None:
    network, inputs = model(), batch()
    encoder_of(network).lengths = SOME[1]  # type: ignore[arg-type]
    with torch.no_grad(), full_length(network):  # type: ignore[arg-type]
        whole, short = (AtLengths(network, one)(**inputs) for one in (None, SOME[2]))  # type: ignore[arg-type]
    assert not torch.equal(whole, short)
    assert encoder_of(network).lengths is SOME[1]  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["weight_only", "ternary", "splitquant", "static_int8", "dynamic_int8", "bf16"])
def test_a_quantized_model_can_be_timed(tmp_path: Path, method: str) -> None:
    network, watch = small(layers=3, readout={"name": "cls"}), CallingContext(tmp_path)
    applied(make_stage(METHODS[method]()), network)
    table = load_or_measure(network, watch, batch=1, longest=16)
    assert table.predict(SOME[2], 16) < table.predict(None, 16)
    empty = without_sublayers(network)
    assert widths(empty) == [[0, 0]] * 3 and widths(network) == [[4, 48]] * 3
    assert empty(**batch()).isfinite().all()
