"""Dendrites of the last layer in a model.bin: the reader's logits are the network's, however they are stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.compression import settings
from models.compression.dendrite.module import add_dendrites, attach_dendrites
from models.compression.dynamic_int8 import DynamicInt8
from models.heads.target_scale import attach_target_scale
from models.packed.errors import NotPacked
from runner.deploy.bundle.predict import Model
from tests.models.packed import test_pair
from tests.models.packed.test_fold import differences, make, pack


def grown(network: Any, count: int = 2, act: str = "sigmoid") -> Any:
    """Give the last layer of a network dendrites whose weights are drawn wide."""
    modules = attach_dendrites(network, ["classifier"])
    add_dendrites(modules, count, act)
    for parameter in modules[0].dendrites.parameters():
        parameter.data.copy_(torch.randn_like(parameter))
    return network


@pytest.mark.parametrize("is_pair", [False, True])
@pytest.mark.parametrize("outputs", [1, 2, 3])
@pytest.mark.parametrize("norm", ["none", "layer"])
def test_the_reader_gives_the_networks_logits(tmp_path: Path, norm: str, outputs: int, is_pair: bool) -> None:
    network = grown(make(outputs, norm=norm))
    if outputs == 1:
        attach_target_scale(network, {"mean": 30.0, "sd": 4.0})
    found, arrays = differences(network, tmp_path, is_pair)
    assert np.abs(found).max() < 1e-4 if outputs == 1 else np.abs(found).max() < 1e-5
    assert ("head" in arrays) == (norm == "layer"), "without a norm soma and dendrites are folded into the rows"
    assert Model(tmp_path).header["kind"] == "dendritic"


@pytest.mark.parametrize(("count", "act"), [(1, "tanh"), (3, "relu"), (4, "sigmoid")])
def test_any_number_of_dendrites_with_each_activation(tmp_path: Path, count: int, act: str) -> None:
    assert np.abs(differences(grown(make(readout="sqrt"), count, act), tmp_path)[0]).max() < 1e-4


def test_rows_are_not_folded_where_that_makes_them_longer(tmp_path: Path) -> None:
    for count, is_folded in ((4, True), (5, False)):  # 15 and 18 numbers a piece, against 16
        found, arrays = differences(grown(make(3, norm="none", hidden=16), count), tmp_path)
        assert np.abs(found).max() < 1e-5 and ("head" not in arrays) == is_folded


def test_ngrams_are_added_after_the_dendrites(tmp_path: Path) -> None:
    network = make(3)
    test_pair.add_random_ngrams(network, None)
    found, arrays = differences(grown(network), tmp_path)
    assert np.abs(found).max() < 1e-5 and {"ngram_rows", "to_soma"} <= arrays


@pytest.mark.parametrize("bits", [4, 8])
def test_coded_layers_and_tables_are_read_as_their_codes(tmp_path: Path, bits: int) -> None:
    network = grown(make())
    test_pair.rounded(network, bits)
    assert np.abs(differences(network, tmp_path)[0]).max() < 1e-5


def test_layers_that_the_reader_does_not_compute_are_named() -> None:
    dynamic = grown(make())
    DynamicInt8(settings.DynamicInt8(head=True)).replace_layers(dynamic)
    with pytest.raises(NotPacked, match="DynamicLinear"):
        pack(dynamic)
    with pytest.raises(NotPacked, match="Dendritic"):
        pack(grown(test_pair.make()), is_pair=True)
