"""A network over frames as a model.bin: the reader's logits are the network's, in floats and in whole numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from models.build import build
from models.compression import settings
from models.compression.dendrite.module import attach_dendrites
from models.compression.dynamic_int8 import DynamicInt8
from models.compression.static_int8 import StaticInt8, StaticLinear
from models.compression.structured.layer_widths import restore
from models.compression.weight_only import WeightOnly
from models.heads.base import HeadSpec
from models.heads.target_scale import attach_target_scale
from models.network import Network
from models.packed.errors import NotPacked
from models.packed.facts import Facts
from models.packed.pack import pack_network
from models.settings import ModelSettings
from runner.deploy.bundle.predict import Model

FEATURES, LONGEST = 64, 40
SOUND: dict[str, Any] = {
    "features": "log_mel", "rate": 16000, "seconds": 5.0, "average": 4, "first": True,
    "mean": [-8.0] * FEATURES, "sd": [2.0] * FEATURES,
}  # fmt: skip
TINY: dict[str, Any] = {
    "tokenizer": "log_mel", "layers": 2, "hidden": 16, "heads": 2, "intermediate": 32, "positions": LONGEST,
    "segments": 0,
    "embedding": {"name": "frames", "project": True, "first": True}, "readout": {"name": "mean"},
}  # fmt: skip
BANDS: dict[str, Any] = {"name": "band_convolution", "first": True}


def make(outputs: int = 10, **more: Any) -> Network:
    """The shape of `tiny-sound`, with weights drawn wide."""
    torch.manual_seed(outputs)
    head = HeadSpec("text", outputs, "regression" if outputs == 1 else None)
    made, _ = build(ModelSettings(**(TINY | more)), head, vocab_size=FEATURES, pad_id=0)
    for parameter in made.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.3)
    return made.eval()


def facts(outputs: int = 10, **sound: Any) -> Facts:
    labels = () if outputs == 1 else tuple(f"class {number}" for number in range(outputs))
    return Facts(labels, LONGEST, sound=SOUND | sound)


def differences(network: Network, folder: Path, outputs: int = 10) -> np.ndarray:
    """The reader's logits less the network's, for sounds of several lengths; their sizes are those of the logits."""
    (folder / "model.bin").write_bytes(pack_network(network, facts(outputs)))
    reader = Model(folder)._scorer
    random = np.random.default_rng(0)
    found = []
    for count in (LONGEST, 17, 1):
        frames = random.normal(size=(count, FEATURES)).astype(np.float32)
        with torch.no_grad():
            wanted = network(torch.from_numpy(frames)[None])[0].numpy()
        found.append(np.array(reader.network.logits(frames)) - wanted)
    return np.array(found)


@pytest.mark.parametrize("readout", ["mean", "cls", "mean_std", "sum", "sqrt"])
def test_the_reader_gives_the_networks_logits(tmp_path: Path, readout: str) -> None:
    assert np.abs(differences(make(readout={"name": readout}), tmp_path)).max() < 1e-4


@pytest.mark.parametrize(
    "parts",
    [
        {"segments": 2},
        {"norm": "none"},
        {"positional": False, "embedding": BANDS | {"stacked": 4, "maps": 8, "kernel": 7, "stride": 2, "pool": 3}},
        {"embedding": BANDS | {"stacked": 1, "maps": 3, "kernel": 4, "stride": 3, "pool": 2, "first": False}},
        {"family": "dsn", "readout": {"name": "mean_std"}},
        {"family": "dsn", "positional": False, "hidden": FEATURES, "norm": "none",
         "embedding": {"name": "frames", "project": False, "first": False}, "readout": {"name": "mean_std"}},
    ],
)  # fmt: skip
def test_parts_that_are_missing_or_more_are_read_too(tmp_path: Path, parts: dict[str, Any]) -> None:
    assert np.abs(differences(make(**parts), tmp_path)).max() < 1e-4


def test_numbers_are_in_the_unit_of_the_targets(tmp_path: Path) -> None:
    network = make(1)
    attach_target_scale(network, {"mean": 30.0, "sd": 4.0})
    assert np.abs(differences(network, tmp_path, 1)).max() < 1e-4


def rounded(stage: Any, network: Network) -> Network:
    """The network with its layers in whole numbers."""
    for name, (layer, made) in stage.replace_layers(network).items():
        if isinstance(stage, StaticInt8):
            stage.ranges = {name: (-3.0, 3.0)}
        stage.fill(name, layer, made)
    return network


STAGES = {
    "int8": lambda: WeightOnly(settings.WeightOnly(bits=8, embeddings=True, embedding_bits=8, head=True)),
    "int8_dynamic": lambda: DynamicInt8(settings.DynamicInt8(embeddings=True, embedding_bits=8, head=True)),
    "int8_static": lambda: StaticInt8(settings.StaticInt8(embeddings=True, embedding_bits=8, head=True)),
}


@pytest.mark.parametrize("method", STAGES)
def test_whole_numbers_are_multiplied_as_the_network_does(tmp_path: Path, method: str) -> None:
    network = rounded(STAGES[method](), make())
    found = differences(network, tmp_path)
    # A value between two codes may be rounded to the other one, as floats are not summed in the same order.
    assert np.quantile(np.abs(found), 0.9) < 1e-4 and np.abs(found).max() < (1e-4 if method == "int8" else 0.1)
    assert (tmp_path / "model.bin").stat().st_size <= 12_000
    assert any(isinstance(layer, StaticLinear) for layer in network.modules()) == (method == "int8_static")


def test_networks_that_the_reader_does_not_compute_are_named() -> None:
    with pytest.raises(NotPacked, match=r"codes of 4 bits per row"):
        pack_network(rounded(WeightOnly(settings.WeightOnly(bits=4)), make()), facts())
    with pytest.raises(NotPacked, match=r"its readout, SumAllPooler, is not among cls, mean"):
        pack_network(make(readout={"name": "sum_all"}), facts())
    with pytest.raises(NotPacked, match="it computes in bfloat16"):
        pack_network(make().to(torch.bfloat16), facts())


def test_a_network_with_fewer_heads_and_neurons_is_read_too(tmp_path: Path) -> None:
    assert np.abs(differences(cast(Network, restore(make(), {"layers": [[1, 32], [2, 5]]})), tmp_path)).max() < 1e-4


@pytest.mark.parametrize("layers", [[[0, 32], [2, 32]], [[2, 32], [2, 0]]])
def test_a_layer_without_heads_or_neurons_is_not_packed(layers: list[list[int]]) -> None:
    with pytest.raises(NotPacked, match="a layer without heads or without neurons"):
        pack_network(cast(Network, restore(make(), {"layers": layers})), facts())


@pytest.mark.parametrize("name", ["attention.output.dense", "attention.self.query", "output.dense"])
def test_a_layer_with_dendrites_is_not_packed(name: str) -> None:
    network = make()
    attach_dendrites(network, [f"bert.encoder.layer.1.{name}"])
    with pytest.raises(NotPacked, match="its layer Dendritic is not linear"):
        pack_network(network, facts())
