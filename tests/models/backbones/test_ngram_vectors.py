"""The mean of the rows of a text's known n-grams, each once; looked up before or in the forward pass."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor

from models.backbones.ngram_vectors import FOUND, NgramVectors
from models.build import build
from models.heads.base import HeadSpec
from models.ngrams.fingerprints import find_grams
from models.settings import ModelSettings
from tests.models.backbones.test_ngram import batch

SETTINGS = ModelSettings(name="v", family="ngram_vectors", hidden=4, dropout=0.0, readout={"name": "mean"})
GRAMS = [("not",), ("good",), ("bad",), ("not", "good")]


def hash_of(gram: tuple[str, ...]) -> int:
    words = np.array([zlib.crc32(word.encode()) + 1 for word in gram], np.uint32)
    return int(find_grams(words, np.zeros(len(words), int), len(words)).hashes[-1])  # the longest comes last


def backbone(token_dropout: float = 0.0) -> tuple[NgramVectors, dict[tuple[str, ...], Tensor]]:
    """A backbone with rows for GRAMS, and the row of each."""
    torch.manual_seed(0)
    bag = NgramVectors(2, 4, token_dropout)
    hashes = sorted(map(hash_of, GRAMS))
    bag.keep(np.array(hashes, np.uint32))
    return bag, {gram: bag.rows.weight.detach()[hashes.index(hash_of(gram))] for gram in GRAMS}


def test_a_text_is_the_mean_of_its_known_ngrams_each_once() -> None:
    bag, row = backbone()
    found = bag(**batch("Not good, not unknown", "good bad bad", "nothing known", ""))
    expected = torch.stack([
        (row["not",] + row["good",] + row["not", "good"]) / 3, (row["good",] + row["bad",]) / 2,
        torch.zeros(4), torch.zeros(4),
    ])  # fmt: skip
    torch.testing.assert_close(found, expected)


def test_rows_that_were_looked_up_before_give_the_same() -> None:
    bag, _ = backbone()
    inputs = batch("not good good", "bad")
    rows, counts = bag._look_up(inputs["input_ids"] * inputs["attention_mask"])
    assert counts.tolist() == [3, 1]
    known = torch.zeros(2, 3, dtype=torch.int64)
    known[0], known[1, 0] = rows[:3] + FOUND, rows[3] + FOUND
    assert torch.equal(bag(known), bag(**inputs))


def test_rows_start_within_one_over_the_width_and_the_last_layer_at_zero() -> None:
    bag, _ = backbone()
    assert 0 < bag.rows.weight.abs().max() <= 1 / 4
    model, _ = build(SETTINGS, HeadSpec(outputs=6), vocab_size=1 << 32)
    assert model.bert.state_shape() == (6, 0), "as wide as there are classes"
    assert not model.classifier.weight.any() and not model.classifier.bias.any()


def test_token_dropout_leaves_whole_ngrams_out_of_the_mean() -> None:
    bag, row = backbone(0.5)
    inputs = batch(*["not good"] * 64)
    assert torch.equal(bag.eval()(**inputs)[0], bag(**inputs)[63])
    drawn = bag.train()(**inputs)
    one, other = row["not",], row["not", "good"]
    kinds = {tuple(vector.tolist()) for vector in drawn}
    assert len(kinds) > 4 and any(torch.allclose(vector, (one + other) / 2) for vector in drawn)


def test_rows_lie_where_the_model_does_and_are_those_of_a_cpu() -> None:
    bag, _ = backbone()
    torch.manual_seed(0)
    elsewhere = NgramVectors(2, 4, 0.0).to("meta")
    state = torch.random.get_rng_state()
    elsewhere.keep(bag.hashes.numpy().astype(np.uint32))
    assert elsewhere.rows.weight.device.type == elsewhere.hashes.device.type == "meta"
    assert not torch.equal(torch.random.get_rng_state(), state), "drawn on the CPU, from the generator of every run"
