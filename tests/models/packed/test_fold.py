"""A bag of words as a model.bin: the reader's logits are the network's, folded or not, plain or in codes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.inputs.tokenizer import PieceTokenizer, train_tokenizer
from data.sources.demo import generate_demo
from models.build import build
from models.compression import settings
from models.compression.bf16 import cast_to_bf16
from models.compression.dynamic_int8 import DynamicInt8
from models.compression.pq import Pq
from models.compression.ternary import Ternary
from models.compression.weight_only import WeightOnly
from models.heads.base import HeadSpec
from models.heads.linear import LinearHead
from models.heads.target_scale import attach_target_scale
from models.packed.errors import NotPacked
from models.packed.facts import Facts
from models.packed.fold import pack_bits
from models.packed.pack import pack_network
from models.settings import ModelSettings
from runner.deploy.bundle.bag import unpack_bits
from runner.deploy.bundle.predict import Model, read_model

LABELS = {1: (), 2: ("no", "yes"), 3: ("a", "b", "c")}
LONGEST = 20


@cache
def tokenizer() -> PieceTokenizer:
    """A small vocabulary with BERT's pipeline."""
    return train_tokenizer([text for text, _, _ in generate_demo("sentiment", 200, seed=0)], 300)


def make(outputs: int = 2, readout: str = "mean", **model: Any) -> LinearHead:
    """A bag of words with weights drawn wide."""
    torch.manual_seed(outputs)
    options = {"family": "dsn", "hidden": 16, "positions": 32, "readout": {"name": readout}} | model
    network, _ = build(
        ModelSettings(**options), head=HeadSpec("text", outputs, "regression" if outputs == 1 else None),
        vocab_size=tokenizer().vocab_size, pad_id=tokenizer().pad_id, tokens=tokenizer().tokens,
    )  # fmt: skip
    for parameter in network.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.3)
    assert isinstance(network, LinearHead)
    return network.eval()


def texts() -> tuple[list[str], list[str]]:
    """First and second texts: short ones, empty ones, and such as are cut."""
    rows = [text for text, _, _ in generate_demo("sentiment", 12, seed=1)]
    first = [*rows[:6], "", " ".join(rows), "wörds [SEP] néver sèen!", " ".join(rows)]
    return first, [*rows[6:], "also", "", "short", " ".join(rows[2:])]


def pack(network: LinearHead, is_pair: bool = False) -> bytes:
    """The model.bin of a network with these texts' tokenizer."""
    content = json.loads(tokenizer().backend.to_str())
    return pack_network(network, Facts(LABELS[network.spec.outputs], LONGEST, is_pair, content))


def differences(network: LinearHead, folder: Path, is_pair: bool = False) -> tuple[np.ndarray, set[str]]:
    """The reader's logits less the network's after both lost their mean, and the names of the file's arrays."""
    (folder / "model.bin").write_bytes(pack(network, is_pair))
    first, second = texts()
    model = Model(folder)
    found = model.scores(first, second if is_pair else None)
    wanted = []
    for place, text in enumerate(first):
        row = tokenizer().encode([text], [second[place]] if is_pair else None, LONGEST)
        segments = torch.arange(len(row.tokens)) >= int(row.segment_starts[0])
        with torch.no_grad():
            out = network(torch.from_numpy(row.tokens)[None], None, segments.long()[None] if is_pair else None)
        wanted.append(out[0].numpy())
    if len(LABELS[network.spec.outputs]) > 1:
        found, wanted = found - found.mean(1, keepdims=True), wanted - np.mean(wanted, 1, keepdims=True)
    return found - np.array(wanted), set(model.header["arrays"])


@pytest.mark.parametrize("is_pair", [False, True])
@pytest.mark.parametrize("outputs", [1, 2, 3])
@pytest.mark.parametrize("norm", ["none", "layer"])
def test_the_reader_gives_the_networks_logits(tmp_path: Path, norm: str, outputs: int, is_pair: bool) -> None:
    network = make(outputs, norm=norm)
    if outputs == 1:
        attach_target_scale(network, {"mean": 30.0, "sd": 4.0})
    found, arrays = differences(network, tmp_path, is_pair)
    assert np.abs(found).max() < 1e-4 if outputs == 1 else np.abs(found).max() < 1e-5
    assert ("head" in arrays) == (norm == "layer"), "without a norm the head is folded into the rows"


def test_both_scores_of_two_classes_are_kept_for_vector_scaling(tmp_path: Path) -> None:
    network, (first, _) = make(norm="none"), texts()
    facts = Facts(LABELS[2], LONGEST, tokenizer=json.loads(tokenizer().backend.to_str()), keeps_both=True)
    (tmp_path / "model.bin").write_bytes(pack_network(network, facts))
    with torch.no_grad():
        rows = [torch.from_numpy(tokenizer().encode([text], None, LONGEST).tokens)[None] for text in first]
        wanted = [network(row, None, None)[0].numpy() for row in rows]
    model = Model(tmp_path)
    assert np.abs(model.scores(first) - np.array(wanted)).max() < 1e-5
    assert "head" not in model.header["arrays"], "the head is folded into the rows all the same"


@pytest.mark.parametrize("readout", ["sum", "sqrt"])
@pytest.mark.parametrize("norm", ["none", "layer"])
def test_sums_are_divided_as_the_readout_says(tmp_path: Path, norm: str, readout: str) -> None:
    assert np.abs(differences(make(readout=readout, norm=norm), tmp_path)[0]).max() < 1e-4


@pytest.mark.parametrize("bits", [8, 4, 3])
def test_coded_tables_are_read_as_their_codes(tmp_path: Path, bits: int) -> None:
    network = make()
    stage = WeightOnly(settings.WeightOnly(bits=bits, embeddings=True, embedding_bits=bits, head=True))
    for name, (layer, made) in stage.replace_layers(network).items():
        stage.fill(name, layer, made)
    found, arrays = differences(network, tmp_path)
    assert np.abs(found).max() < 1e-5 and {"words", "step", "zero"} <= arrays
    _, packed = read_model((tmp_path / "model.bin").read_bytes(), "")
    assert packed["words"].shape[1] == 16 * bits // 8


@pytest.mark.parametrize(
    "stage",
    [
        WeightOnly(settings.WeightOnly(embedding_bits=4, embedding_block=7)),
        Ternary(settings.Ternary(group=8, embedding_form="ternary", block=3)),
        Pq(settings.Pq(dsub=2)),
    ],
    ids=["blocks", "ternary", "pq"],
)
def test_tables_in_other_codes_are_read_too(tmp_path: Path, stage: Any) -> None:
    network = make()
    for name, (layer, made) in stage.replace_layers(network).items():
        stage.fill(name, layer, made)
    assert np.abs(differences(network, tmp_path)[0]).max() < 1e-5


def test_codes_survive_packing_at_any_width() -> None:
    for bits in range(1, 8):
        codes = np.random.default_rng(bits).integers(0, 2**bits, (7, 13), np.uint8)
        assert np.array_equal(unpack_bits(pack_bits(codes, bits), bits, 13), codes)


def test_tables_in_codes_are_folded_where_that_is_smaller(tmp_path: Path) -> None:
    for outputs, is_folded in ((2, True), (3, False)):  # 1 or 3 numbers a piece, against 4 bytes of codes and a step
        network = make(outputs, norm="none", hidden=16)
        stage = WeightOnly(settings.WeightOnly(bits=2, embeddings=True, embedding_bits=2))
        for name, (layer, made) in stage.replace_layers(network).items():
            stage.fill(name, layer, made)
        found, arrays = differences(network, tmp_path)
        assert np.abs(found).max() < 1e-5 and ("head" not in arrays) == is_folded


def test_models_that_the_reader_does_not_compute_are_named() -> None:
    halved = make()
    cast_to_bf16(halved)
    dynamic = make()
    DynamicInt8(settings.DynamicInt8(head=True)).replace_layers(dynamic)
    wrong = {
        "SumAllPooler": make(readout="sum_all"),
        "bfloat16": halved,
        "DynamicLinear": dynamic,
        "32 positions": make(positions=8),
        "Bert, computes on every token": make(family="bert", layers=1, heads=2, readout="cls"),
    }
    for reason, network in wrong.items():
        with pytest.raises(NotPacked, match=reason.replace("32", "8")):
            pack(network)
