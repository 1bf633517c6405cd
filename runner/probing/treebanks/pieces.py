"""The vectors of the word pieces of sentences at every layer, computed once and kept in the cache; and of their words.

A word's vector is the mean of its pieces'. Each word is tokenised separately, as for a tagging task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from data.batch import collate
from data.inputs.token_ids import TokenIds
from data.inputs.tokenizer import PieceTokenizer, Tokenizer
from data.inputs.word_cache import spans
from data.inputs.words import WORDS, Words
from data.labels import Labels
from data.sampler import eval_batches
from data.sources.conllu import Sentence
from data.splits import TokenSplit
from models.backbones.hooks import Recorder
from models.network import Network
from runner.errors import ConfigError
from runner.probing.features import BATCH, FORMAT, readout_digest, stored_vectors
from runner.probing.probed import Probed
from runner.training.frozen_states import encoder_digest
from runner.training.inference import to_tensors

LONGEST = 512  # tokens of a sentence, where the model reads as many
CHUNK = 4096  # words whose pieces are in memory at a time


@dataclass(frozen=True)
class Pieces:
    """The tokens of some sentences, and which of them belong to each word."""

    split: TokenSplit
    starts: np.ndarray  # (words,) int64: the first piece of each word among all tokens
    counts: np.ndarray  # (words,) int64: its pieces; 0: none, or beyond the longest sentence
    sentences: np.ndarray  # (words,) int64: the number of its sentence

    @cached_property
    def is_read(self) -> np.ndarray:
        """Which words the model reads, (words,) bool."""
        return self.counts > 0

    def means(self, states: np.ndarray, words: np.ndarray, layers: Sequence[int]) -> np.ndarray:
        """Return the vectors of these words, (words, S, H) float16; states: (tokens, L + 1, H)."""
        found = np.empty((len(words), len(layers), states.shape[2]), np.float16)
        for begin in range(0, len(words), CHUNK):
            part = words[begin : begin + CHUNK]
            counts = self.counts[part]
            pieces = states[spans(self.starts[part], counts)][:, list(layers)].astype(np.float32)
            sums = np.add.reduceat(pieces, np.cumsum(counts) - counts)
            found[begin : begin + CHUNK] = sums / counts[:, None, None]
        return found


def cut_into_pieces(sentences: Sequence[Sentence], name: str, tokenizer: Tokenizer, longest: int) -> Pieces:
    """Return the pieces of sentences, cut after `longest` tokens.

    Raises ConfigError for a tokenizer that has no pieces.
    """
    if not isinstance(tokenizer, PieceTokenizer):
        raise ConfigError(
            "run probe: this model has no tokens that belong to a word, only hashes of words in the whole text, so its "
            "words cannot be probed. Try: a transformer, or probe whole sentences: data=xprobe"
        )
    words, rows = Words(tokenizer), [list(one.words) for one in sentences]
    encoded = words.encode({WORDS: rows}, longest)
    assert encoded.alignment is not None
    offsets = np.cumsum([0, *map(len, rows)])
    labels = Labels(np.zeros(int(offsets[-1]), np.int64), offsets, encoded.alignment)
    starts = np.cumsum([0, *encoded.lengths])
    whole = TokenSplit(name, encoded.tokens, starts, encoded.segment_starts, labels, 0, words)
    counts = _counts(whole, words.ending, longest)
    cut = words.lay_out(whole, longest, windows=False)
    blank = Labels(np.zeros(len(rows), np.int64))
    split = TokenSplit(name, cut.tokens, cut.offsets, cut.segment_starts, blank, 0, TokenIds(tokenizer.pad_id))
    of_word = np.repeat(np.arange(len(rows)), np.diff(offsets))
    return Pieces(split, split.offsets[of_word] + encoded.alignment, counts, of_word)


def _counts(whole: TokenSplit, ending: int, longest: int) -> np.ndarray:
    """Return the number of pieces of each word, (words,).

    0 if it has none, or not all of them fit in the longest row.
    """
    labels = whole.labels
    assert labels.offsets is not None and labels.places is not None
    counts = np.zeros(len(labels.values), np.int64)
    for row, (begin, end) in enumerate(zip(labels.offsets, labels.offsets[1:])):
        places = np.asarray(labels.places[begin:end], np.int64)
        has_piece = np.flatnonzero(places >= 0)
        last = int(whole.lengths[row]) - ending
        ends = np.append(places[has_piece][1:], last)
        is_inside = ends <= min(last, longest - ending)
        counts[begin + has_piece] = np.where(is_inside, ends - places[has_piece], 0)
    return counts


def piece_states(probed: Probed, network: Network, split: TokenSplit) -> np.ndarray:
    """Return the states of all tokens at all layers, (tokens, L + 1, H) float16, memory-mapped from the cache."""
    hidden, layers = network.bert.state_shape()
    parts = {"encoder": encoder_digest(network), "tokens": split.fingerprint, "what": "pieces", "format": FORMAT}
    if network.bert.pooler.hooks():  # its modules stand between the layers
        parts["readout"] = readout_digest(network)

    def fill(path: Path) -> None:
        probed.cache.tell(f"computing the vectors of the words of {len(split):,} sentences of {split.name}")
        shape = (len(split.tokens), layers + 1, hidden)
        states = np.lib.format.open_memmap(path, "w+", np.float16, shape)
        _fill(states, network, split, probed.device)
        states.flush()

    return stored_vectors(parts, fill, probed.cache)


@torch.inference_mode()
def _fill(states: np.ndarray, network: Network, split: TokenSplit, device: torch.device) -> None:
    network.eval().to(device)
    for rows in eval_batches(split.lengths, batch_size=BATCH):
        recorder = Recorder()
        network.bert(**to_tensors(collate(split, rows), device), hooks=[recorder])
        found = torch.stack(recorder.states[-states.shape[1] :], 2).half().cpu().numpy()
        for row, own in zip(rows, found):
            begin, end = split.offsets[row : row + 2]
            states[begin:end] = own[: end - begin]
