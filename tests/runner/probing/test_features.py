"""The vectors of sentences: as one computes them by hand, cached, and the encoder stays as it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from data.settings import DataSettings
from data.stores.build_once import SharedCache
from models.compression.bf16 import cast_to_bf16
from runner.probing.encoder import open_subject
from runner.probing.features import Cell, cells_of, sentence_vectors
from runner.probing.rows import read_task
from runner.record.subject import find_subject
from runner.training.frozen_states import encoder_digest


def test_vectors_are_the_pooled_states_and_are_computed_once(place: Path, run_id: str) -> None:
    network, tokenizer = open_subject(find_subject(run_id, place / "outputs", lambda _: None))
    told: list[str] = []
    cache = SharedCache(place / "cache", told.append)
    task = read_task("demo", DataSettings(demo_rows=200), cache)
    split, before = task.split("report", tokenizer, 128, cache), encoder_digest(network)
    found = sentence_vectors(network, split, ("mean", "cls"), cache, torch.device("cpu"))
    assert cells_of(network, ("cls",)) == [Cell("cls", 0), Cell("cls", 1), Cell("cls", 2)]
    assert found.shape == (len(split), 6, 16) and found.dtype == np.float16
    ids = torch.from_numpy(np.asarray(split.tokens[split.offsets[3] : split.offsets[4]]).astype(np.int64))[None]
    with torch.no_grad():
        states = network.bert.embeddings(ids)  # type: ignore[operator]
    assert np.allclose(found[3, 0], states.mean(1)[0], atol=2e-3)
    assert np.allclose(found[3, 3], states[0, 0], atol=2e-3)
    assert np.ptp(found[:, 3].astype(np.float32), axis=0).max() < 1e-3, "the first token's embedding is always the same"
    read = sentence_vectors(network, split, ("readout",), cache, torch.device("cpu"))
    with torch.no_grad():
        assert np.allclose(read[3, 0], network.bert(ids)[0], atol=2e-3)
    told.clear()
    again = sentence_vectors(network, split, ("mean", "cls"), cache, torch.device("cpu"))
    assert not told and np.array_equal(found, again)
    assert encoder_digest(network) == before
    with torch.no_grad():
        network.bert.pooler.dense.bias.add_(1.0)  # type: ignore[union-attr, operator]
    other = sentence_vectors(network, split, ("readout",), cache, torch.device("cpu"))
    assert told and not np.array_equal(other, read), "another readout of the same encoder"


def test_an_encoder_in_bfloat16_has_vectors_and_digests_too(place: Path, run_id: str, tmp_path: Path) -> None:
    network, tokenizer = open_subject(find_subject(run_id, place / "outputs", lambda _: None))
    cache, device = SharedCache(tmp_path), torch.device("cpu")
    split = read_task("demo", DataSettings(demo_rows=60), cache).split("report", tokenizer, 128, cache)
    full, digest = sentence_vectors(network, split, ("mean", "readout"), cache, device), encoder_digest(network)
    cast_to_bf16(network)
    assert encoder_digest(network) != digest
    half = sentence_vectors(network, split, ("mean", "readout"), cache, device)
    assert not np.array_equal(half, full) and np.allclose(half, full, atol=0.05)
