"""A model of two texts as a model.bin: the reader's logits are the network's, with norms or without, plain or coded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data.inputs.tokenizer import wrap_backend
from models.build import build
from models.compression import settings
from models.compression.dynamic_int8 import DynamicInt8
from models.compression.weight_only import WeightOnly
from models.heads.added_ngrams import AddedNgrams, attach_ngrams, hashes_of
from models.heads.base import HeadSpec
from models.heads.target_scale import attach_target_scale
from models.ngrams.fingerprints import bits_for, find_grams, fingerprints_of
from models.ngrams.pairs import PairOptions, pair_hashes
from models.packed.errors import NotPacked
from models.settings import ModelSettings
from runner.deploy.bundle.predict import Model
from tests.models.packed import test_fold
from tests.models.packed.test_fold import LONGEST, differences, pack, texts, tokenizer


def make(outputs: int = 3, *, norm: str = "layer", size: int | None = 6, words: str = "none", **more: Any) -> Any:
    """A network that compares two texts, with weights drawn wide; norm: of their means, words: of each word."""
    torch.manual_seed(outputs)
    readout = {"name": "pair", "norm": norm, "size": size, "dropout": 0.2}
    options: dict[str, Any] = {"family": "dsn", "hidden": 16, "positions": 32, "norm": words, "readout": readout}
    head = HeadSpec("text", outputs, "regression" if outputs == 1 else None)
    made, _ = build(ModelSettings(**(options | more)), head, vocab_size=tokenizer().vocab_size, pad_id=0)
    for parameter in made.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.3)
    return made.eval()


@pytest.mark.parametrize("size", [None, 6])
@pytest.mark.parametrize(("norm", "words"), [("none", "none"), ("layer", "none"), ("layer", "layer")])
@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_the_reader_gives_the_networks_logits(
    tmp_path: Path, outputs: int, norm: str, words: str, size: int | None
) -> None:
    network = make(outputs, norm=norm, size=size, words=words)
    if outputs == 1:
        attach_target_scale(network, {"mean": 30.0, "sd": 4.0})
    found, arrays = differences(network, tmp_path, is_pair=True)
    assert np.abs(found).max() < 1e-4 and ("hidden" in arrays) == (size is not None)


def test_word_vectors_alone_and_texts_without_special_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = wrap_backend(tokenizer().backend.from_str(tokenizer().backend.to_str()), "train", tokenizer().names, {})
    monkeypatch.setattr(test_fold, "tokenizer", lambda: bare)
    found, _ = differences(make(positional=False), tmp_path, is_pair=True)
    assert np.abs(found).max() < 1e-4
    single = test_fold.make(positional=False, norm="none")
    single.get_parameter("bert.embeddings.word_embeddings.weight").data[bare.pad_id] = 0.0  # as in every trained model
    found, _ = differences(single, tmp_path)
    assert np.abs(found).max() < 1e-4


def test_coded_tables_and_layers_are_read_as_their_codes(tmp_path: Path) -> None:
    network = make()
    rounded(network, 8)
    found, arrays = differences(network, tmp_path, is_pair=True)
    assert np.abs(found).max() < 1e-4 and {"words", "step", "hidden_codes", "hidden_step"} <= arrays


@pytest.mark.parametrize("bits", [0, 4, 8])
@pytest.mark.parametrize(("outputs", "is_symmetric"), [(1, False), (2, True), (3, False)])
def test_ngrams_of_pieces_are_a_second_part_of_the_file(
    tmp_path: Path, outputs: int, is_symmetric: bool, bits: int
) -> None:
    network = make(outputs)
    if outputs == 1:
        attach_target_scale(network, {"mean": 30.0, "sd": 4.0})
    added = add_random_ngrams(network, PairOptions(2, is_symmetric, cross=True))
    if bits:
        rounded(network, bits)
    found, arrays = differences(network, tmp_path, is_pair=True)
    assert np.abs(found).max() < 1e-4 and {"ngram_rows", "ngram_high"} <= arrays
    own = Model(tmp_path)._scorer
    ids, start = own.pieces.row("a good story", "this story, not good", LONGEST)
    row = tokenizer().encode(["a good story"], ["this story, not good"], LONGEST)
    segments = torch.arange(len(row.tokens)) >= int(row.segment_starts[0])
    integers = added.bag(added.words[torch.from_numpy(row.tokens).long()[None]], None, segments.long()[None])[0].numpy()
    logits = own.ngrams.logits_of(ids[:start], ids[start:])[-len(integers) :]
    assert integers.any() and np.allclose(logits, integers * own.ngrams.scale + own.ngrams.bias, rtol=1e-9, atol=1e-9)


def rounded(network: Any, bits: int) -> None:
    """Store the tables and layers of a network in codes."""
    stage = WeightOnly(settings.WeightOnly(bits=bits, embeddings=True, embedding_bits=bits, head=True))
    for name, (layer, made) in stage.replace_layers(network).items():
        stage.fill(name, layer, made)


def add_random_ngrams(network: Any, options: PairOptions | None) -> AddedNgrams:
    """Give a network weights for the n-grams of the test's first texts, or for the features of its pairs."""
    backend = tokenizer().backend
    words = hashes_of(tokenizer().tokens(), frozenset(t.content for t in backend.get_added_tokens_decoder().values()))
    first, second = ([words[backend.encode(text, add_special_tokens=False).ids] for text in side] for side in texts())
    of_texts = [find_grams(one, np.zeros(len(one), int), 2).hashes for one in first]
    of_pairs = [pair_hashes(*pair, options) for pair in zip(first, second)] if options else []
    hashes = np.concatenate(of_pairs or of_texts)
    bits = bits_for(len(np.unique(hashes)))
    prints, random = np.unique(fingerprints_of(hashes, bits)), np.random.default_rng(0)
    added = attach_ngrams(network, {"n": 2, "count": len(prints)} | ({"pairs": options.entry()} if options else {}))
    added.bag.fill(prints, random.integers(-127, 128, (len(prints), added.bag.rows.shape[1])))
    added.bag.bits = bits
    added.words.copy_(torch.from_numpy(words.astype(np.int64)))
    added.scale.fill_(0.01)
    added.bias.fill_(0.25)
    return added


def test_layers_that_the_reader_does_not_compute_are_named() -> None:
    dynamic = make()
    DynamicInt8(settings.DynamicInt8(head=False)).replace_layers(dynamic)
    with pytest.raises(NotPacked, match="hidden layer, DynamicLinear"):
        pack(dynamic, is_pair=True)
