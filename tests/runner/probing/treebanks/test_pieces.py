"""A word's vector is the mean of its pieces; a word that is cut off has none."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from data.inputs.hashed_words import HashedWords
from data.sources.conllu import Sentence
from models.readouts.parasite import Parasite
from runner.errors import ConfigError
from runner.probing.probed import Probed
from runner.probing.treebanks.pieces import cut_into_pieces, piece_states


def sentence(text: str) -> Sentence:
    words = tuple(text.split())
    nothing = ("_",) * len(words)
    return Sentence(words, nothing, ({},) * len(words), (), nothing)


def test_words_are_the_mean_of_their_pieces_at_every_layer(probed: Probed) -> None:
    found = cut_into_pieces([sentence("a film"), sentence("unfathomable \u200b film")], "t", probed.tokenizer, 64)
    assert found.counts[2] > 1 and found.counts[4] == found.counts[1] > 0 == found.counts[3], "one has no piece"
    states = piece_states(probed, probed.network, found.split)
    words = np.flatnonzero(found.is_read)
    means = found.means(states, words, [0, 2])
    assert means.shape == (len(words), 2, 16)
    ids = torch.from_numpy(found.split.tokens[found.split.offsets[1] :].astype(np.int64))[None]
    with torch.no_grad():
        embedded = probed.network.bert.embeddings(ids)[0]  # type: ignore[operator]
    first = 1  # behind the special token
    expected = embedded[first : first + int(found.counts[2])].mean(0)
    assert np.allclose(means[words.tolist().index(2), 0], expected, atol=2e-3)


def test_a_readout_between_the_layers_has_states_of_its_own(probed: Probed) -> None:
    split = cut_into_pieces([sentence("a film"), sentence("a story")], "t", probed.tokenizer, 64).split
    found = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        network, readout = copy.deepcopy(probed.network), Parasite(16, 2, size=4, reach=1, length=64)
        network.bert.pooler, network.architecture["readout"] = readout, "parasite"
        found.append(np.array(piece_states(probed, network, split)))
    assert np.array_equal(found[0][:, 0], found[1][:, 0]), "the same encoder"
    assert not np.array_equal(found[0][:, 2], found[1][:, 2])


def test_words_beyond_the_longest_row_have_no_pieces(probed: Probed) -> None:
    whole = cut_into_pieces([sentence("a film a film a film")], "t", probed.tokenizer, 64)
    cut = cut_into_pieces([sentence("a film a film a film")], "t", probed.tokenizer, 5)
    assert whole.is_read.all() and not cut.is_read.all()
    inside = np.cumsum(whole.counts) <= 3
    assert np.array_equal(cut.is_read, inside), "three tokens fit between the special ones"


def test_hashes_of_words_are_refused(probed: Probed) -> None:
    with pytest.raises(ConfigError, match=r"no tokens that belong to a word.*Try: a transformer"):
        cut_into_pieces([sentence("a film")], "t", HashedWords(), 64)
    assert replace(probed).cells(("word",))[0].name == "word_0"
