"""Computes word vectors from the letters of a token with EELBERT's n-gram pooling hash, exactly, on every machine.

Cohn et al. 2023 (arXiv 2310.20144) outline it; the constants are ours. All sums are over integers until a final
division, so the number of threads, the device and the selection of rows do not change a single bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

PRIME = 2**31 - 1
BASE = 257  # of the rolling hash: the number of byte values plus one
TOKEN_BASE = 1_000_003  # for the control, which hashes whole tokens: with 257, some five-letter words collide
SALT = 31  # mixes the window's length into its signature, so that equal sums of different lengths differ
FLAG = 256  # precedes a word piece under marker=flag; no byte has this value
MASK64 = 2**64 - 1
RANDOM_SPREAD = 0.28  # scales uniform -1..1 to the standard deviation of n-gram means over BERT's vocabulary, 0.16


def hash_multipliers(count: int, start: int) -> Tensor:
    """Draw `count` multipliers in 1..PRIME-1, int64, with splitmix64 from seed `start`, in Python integers."""
    found, state = [], start & MASK64
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK64
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK64
        found.append(1 + (z ^ (z >> 31)) % (PRIME - 1))
    return torch.from_numpy(np.array(found, np.int64))


def encode_letters(tokens: Sequence[str], marker: str) -> np.ndarray:
    """Encode tokens as bytes + 1, (tokens, longest) int16, padded with 0.

    marker: what to do with the `##` of word pieces: keep, strip, or flag (replace it with one symbol).
    """
    rows = []
    for token in tokens:
        is_piece = marker != "keep" and token.startswith("##") and len(token) > 2
        bare = list((token[2:] if is_piece else token).encode())
        rows.append([FLAG, *bare] if is_piece and marker == "flag" else bare)
    found = np.zeros((len(rows), max(map(len, rows), default=1) or 1), np.int16)
    for index, row in enumerate(rows):
        found[index, : len(row)] = np.array(row, np.int16) + 1
    return found


def window_signatures(letters: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Hash all windows of `size` letters, row by row; return the signatures and the windows per row, (rows,)."""
    there = letters > 0
    if size > letters.shape[1]:
        return letters.new_zeros(0), letters.new_zeros(len(letters))
    count = letters.shape[1] - size + 1
    signature = torch.zeros_like(letters[:, :count])
    for place in range(size):
        signature = (signature * BASE + letters[:, place : place + count]) % PRIME
    signature = (signature * SALT + size) % PRIME
    whole = there[:, size - 1 :]
    return signature[whole], whole.sum(1)


def scatter_signatures(signatures: Tensor, multipliers: Tensor, buckets: int) -> Tensor:
    """Hash signatures (S,) to whole numbers in -buckets..buckets, (S, d) float64."""
    return ((signatures[:, None] * multipliers) % PRIME % (2 * buckets + 1) - buckets).double()


def ngram_vectors(letters: Tensor, multipliers: Tensor, buckets: int, longest: int) -> Tensor:
    """Average over windows, then over the window lengths 1..longest: (rows, letters) int64 to (rows, d) fp32."""
    found = [window_signatures(letters, size) for size in range(1, longest + 1)]
    # Words share most of their n-grams, so each distinct one is computed once.
    distinct, places = torch.unique(torch.cat([signatures for signatures, _ in found]), return_inverse=True)
    table = scatter_signatures(distinct, multipliers, buckets)
    total = table.new_zeros(len(letters), len(multipliers))
    lengths, begun = table.new_zeros(len(letters), 1), 0
    for signatures, counts in found:
        if not len(signatures):
            continue
        part = places[begun : begun + len(signatures)]
        sums = F.embedding_bag(part, table, counts.cumsum(0) - counts, mode="sum")
        total += sums / (counts.clamp(min=1) * buckets).unsqueeze(1)
        lengths += (counts > 0).unsqueeze(1)
        begun += len(signatures)
    return (total / lengths.clamp(min=1)).float()


def random_vectors(letters: Tensor, multipliers: Tensor, buckets: int) -> Tensor:
    """The control: hash the whole token at once, so similar words get unrelated vectors, (rows, d) fp32."""
    signature = torch.zeros_like(letters[:, 0])
    for place in letters.unbind(1):
        signature = torch.where(place > 0, (signature * TOKEN_BASE + place) % PRIME, signature)
    signature = (signature * SALT) % PRIME  # plus 0, which is the length of no window
    rows = scatter_signatures(signature, multipliers, buckets) * (RANDOM_SPREAD / buckets)
    return (rows * (letters[:, :1] > 0)).float()
