"""A network rebuilt from the architecture in its config.json has the same tensors, and with them the same outputs."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from models.compression.dendrite.module import add_dendrites, attach_dendrites
from models.heads.target_scale import attach_target_scale
from models.rebuild import rebuild
from tests.models.helpers import batch, small

PAIR = {"name": "pair", "norm": "layer", "size": 6, "dropout": 0.2}
NETWORKS: dict[str, dict[str, Any]] = {
    "bert": {},
    "bert with other parts": {
        "norm": "none", "readout": {"name": "mean_std"}, "positional": False, "segments": 3, "layer_norm_eps": 1e-7,
    },
    "bag of words": {"family": "dsn", "norm": "none", "readout": {"name": "mean"}},
    "bag of words of pairs": {"family": "dsn", "readout": PAIR},
    "bilstm": {"family": "bilstm", "readout": {"name": "mean"}},
    "regression": {"num_labels": 1},
}  # fmt: skip


def assert_same(network: Any, again: Any) -> None:
    """Load the tensors of a network into the rebuilt one, and compare what they answer."""
    again.load_state_dict(network.state_dict())
    assert again.architecture == network.architecture
    inputs = batch()
    with torch.no_grad():
        assert torch.equal(again.eval()(**inputs), network(**inputs))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_the_one_that_was_saved(name: str) -> None:
    network = small(**NETWORKS[name])
    assert_same(network, rebuild(network.architecture, network.spec))


def test_a_compressed_network_keeps_its_structure() -> None:
    network = small(family="dsn", readout={"name": "mean"})
    (grown,) = attach_dendrites(network, ["classifier"])
    add_dendrites([grown], 2, "tanh")
    torch.nn.init.normal_(grown.dendrites[1].to_soma)  # type: ignore[arg-type]
    described = {"method": "dendrites", "modules": ["classifier"], "count": 2, "act": "tanh"}
    network.architecture["compressed"] = [described]
    assert_same(network, rebuild(network.architecture, network.spec))


def test_targets_keep_their_unit() -> None:
    network = small(num_labels=1)
    attach_target_scale(network, {"mean": 30.0, "sd": 4.0})
    assert_same(network, rebuild(network.architecture, network.spec))


def test_weights_are_new() -> None:
    network = small()
    again = rebuild(network.architecture, network.spec)
    assert not torch.equal(again.classifier.weight, network.classifier.weight)
