"""Logits of n-grams that are added to a network's: over the same ids, without special tokens, kept when it is saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.checkpoints.open import load_model
from models.checkpoints.save import save_model
from models.errors import ModelError
from models.heads.added_ngrams import AddedNgrams, attach_ngrams, hashes_of
from models.ngrams.fingerprints import bits_for, fingerprints_of, hash_of
from models.ngrams.pairs import PairOptions, pair_hashes
from models.onnx.graph import write_onnx
from tests.models.helpers import batch, fake_tokenizer, small

READOUT = {"name": "pair", "norm": "none", "size": None, "dropout": 0.0}
TOKENS = ["[PAD]", "[SEP]", *(f"word{place}" for place in range(88))]


def compared(outputs: int = 3, **changes: Any) -> Any:
    """A network that compares two texts, in prediction mode."""
    return small(num_labels=outputs, family="dsn", readout=READOUT, **changes)


def with_ngrams(network: Any, *, symmetric: bool = False) -> AddedNgrams:
    """Add n-grams of random weights to a network: all features that the pair of texts in the tests has, and more."""
    words = hashes_of(TOKENS, frozenset({"[PAD]", "[SEP]"}))
    options = PairOptions(2, symmetric, cross=True)
    prints = np.unique(
        np.concatenate([fingerprints_of(pair_hashes(words[2:], words[:1:-1], options), 20), np.arange(600) * 1000])
    )
    entry = {"n": 2, "count": len(prints), "pairs": options.entry()}
    added = attach_ngrams(network, entry)
    random = np.random.default_rng(0)
    added.bag.fill(prints, random.integers(-127, 128, (len(prints), added.bag.rows.shape[1])))
    added.words.copy_(torch.from_numpy(words.astype(np.int64)))
    added.scale.copy_(torch.linspace(0.01, 0.02, len(added.scale)))
    added.bias.fill_(0.5)
    assert added.bag.bits == bits_for(len(prints))
    return added


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_the_logits_are_a_sum_over_the_features_of_the_words(outputs: int) -> None:
    network, inputs = compared(outputs), batch(length=9)
    before = network(**inputs)
    added = with_ngrams(network)
    more = (network(**inputs) - before).detach().numpy()
    row, words = 1, added.words.numpy().astype(np.uint32)
    ids, segments, mask = (inputs[name][row].numpy() for name in ("input_ids", "token_type_ids", "attention_mask"))
    texts = [words[ids[(segments == place) & (mask == 1)]] for place in (0, 1)]
    features = fingerprints_of(
        pair_hashes(*(text[text != 0] for text in texts), PairOptions(2, cross=True)), added.bag.bits
    )
    hits = np.isin(added.bag.prints.numpy(), features)
    wanted = added.bag.rows.numpy()[hits].sum(0) * added.scale.numpy() + 0.5
    assert hits.any() and np.allclose(more[row], [0.0, *wanted] if outputs == 2 else wanted, atol=1e-5)


def test_special_tokens_are_no_words() -> None:
    added = with_ngrams(compared())
    plain = torch.tensor([[5, 6, 7, 8]]), None, torch.tensor([[0, 0, 1, 1]])
    marked = torch.tensor([[5, 6, 1, 7, 8, 1]]), None, torch.tensor([[0, 0, 0, 1, 1, 1]])
    padded = torch.tensor([[5, 6, 7, 8, 9]]), torch.tensor([[1, 1, 1, 1, 0]]), torch.tensor([[0, 0, 1, 1, 0]])
    assert torch.equal(added(*plain), added(*marked)) and torch.equal(added(*plain), added(*padded))
    assert hashes_of(["a", "", "[SEP]"], frozenset({"[SEP]"})).tolist() == [hash_of("a"), 0, 0]


def test_a_saved_network_opens_with_its_ngrams(tmp_path: Path) -> None:
    network, inputs = compared(), batch()
    with_ngrams(network, symmetric=True)
    save_model(network, tmp_path / "model", tokenizer_save=fake_tokenizer, label_names=["a", "b", "c"], card="")
    opened = load_model(tmp_path / "model")
    assert torch.equal(opened(**inputs), network(**inputs)) and isinstance(opened.added, AddedNgrams)


def test_training_goes_on_beside_them() -> None:
    network, inputs = compared(), batch()
    added = with_ngrams(network)
    network(**inputs).sum().backward()
    assert network.classifier.weight.grad is not None and not [p for p in added.parameters() if p.requires_grad]


def test_there_is_no_graph_of_them(tmp_path: Path) -> None:
    network = compared()
    with_ngrams(network)
    with pytest.raises(ModelError, match="hashes of words"):
        write_onnx(network, tmp_path / "model.onnx")
