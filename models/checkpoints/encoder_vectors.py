"""Takes a vector for each token of a vocabulary from an encoder: its input embedding, or its encoding on its own.

input: the row of the encoder's word table; output: the mean of the last hidden states over [CLS] token [SEP]; inner:
the last hidden state of the token itself. A token that the encoder's vocabulary lacks, as in a vocabulary trained for
the task, is split into the encoder's pieces, whose vectors are averaged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from models.checkpoints.hub import checkpoint_label, fetch_file
from models.errors import ModelError
from models.network import Network
from models.settings import INIT_FROM

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

SPECIAL = re.compile(r"\[\w+\]|<(?!0x)[^<>\s]+>|")  # special tokens: [CLS], [unused7], <s>; or empty
UNKNOWN = ("[UNK]", "<unk>")
INSIDE, AFTER_SPACE = "##", ("\u2581", "\u0120")  # prefixes of a piece inside a word, or after a space
BATCH = 256  # tokens per forward pass


def encoder_vectors(encoder: Network, backend: Backend, tokens: Sequence[str], how: str) -> tuple[Tensor, Tensor]:
    """The tokens' vectors (V, H), and whether each is an ordinary token, (V,) bool; special and unknown ones get zeros.

    backend: the encoder's tokenizer; how: input | output | inner.
    """
    spelled = spell(backend, tokens)
    is_ordinary = torch.tensor([bool(ids) for ids in spelled])
    places = is_ordinary.nonzero().flatten().tolist()
    places.sort(key=lambda place: len(spelled[place]))  # less padding
    table = encoder.bert.word_vectors()
    assert isinstance(table, torch.nn.Embedding)
    width = table.weight.shape[1] if how == "input" else encoder.bert.state_shape()[0]  # a table may be narrower
    found = torch.zeros(len(tokens), width)
    for start in range(0, len(places), BATCH):
        chosen = places[start : start + BATCH]
        rows = [spelled[place] for place in chosen]
        found[chosen] = _input_means(table, rows) if how == "input" else _states(encoder, backend, rows, how)
    return found, is_ordinary


def spell(backend: Backend, tokens: Sequence[str]) -> list[list[int]]:
    """The encoder's ids for each token: its own id if it has one, else those of its pieces; [] for special tokens.

    WordPiece marks the pieces inside a word, other vocabularies those after a space: "film" begins a word in one and
    ends one in the other.
    """
    backend.no_truncation()
    backend.no_padding()
    known, unknown = backend.get_vocab(), {backend.token_to_id(name) for name in UNKNOWN}
    ours, theirs = _marks_spaces(tokens), _marks_spaces(known)
    found: list[list[int]] = []
    for token in tokens:
        text = next((token[len(mark) :] for mark in (INSIDE, *AFTER_SPACE) if token.startswith(mark)), token)
        is_inside = (token == text) is ours  # as its own vocabulary marks it
        own = token if ours == theirs else INSIDE + text if is_inside and ours else None
        if SPECIAL.fullmatch(token):
            found.append([])
        elif own in known:
            found.append([known[own]])
        else:
            text = f" {text}" if theirs and not ours and not is_inside else text
            found.append(
                [index for index in backend.encode(text, add_special_tokens=False).ids if index not in unknown]
            )
    return found


def _marks_spaces(tokens: Iterable[str]) -> bool:
    """Return whether a vocabulary marks pieces after a space, and not those inside a word; some have a few of both."""
    listed = list(tokens)
    return sum(token.startswith(AFTER_SPACE) for token in listed) > sum(token.startswith(INSIDE) for token in listed)


@torch.no_grad()
def _input_means(table: torch.nn.Embedding, rows: list[list[int]]) -> Tensor:
    """For each token, the mean of the table's rows of its ids, (N, H)."""
    counts = torch.tensor([len(ids) for ids in rows])
    flat = torch.tensor([index for ids in rows for index in ids])
    means = torch.zeros(len(rows), table.weight.shape[1])
    means.index_add_(0, torch.arange(len(rows)).repeat_interleave(counts), table.weight[flat])
    return means / counts.unsqueeze(1)


@torch.no_grad()
def _states(encoder: Network, backend: Backend, rows: list[list[int]], how: str) -> Tensor:
    """Encode each token by itself; average the last states of all positions (output) or its own (inner), (N, H)."""
    framed = backend.encode("a")
    inner = [place for place, is_special in enumerate(framed.special_tokens_mask) if not is_special]
    before, after = framed.ids[: inner[0]], framed.ids[inner[-1] + 1 :]
    length = max(map(len, rows)) + len(before) + len(after)
    ids, mask, wanted = (torch.zeros(len(rows), length, dtype=torch.int64) for _ in range(3))
    for row, pieces in enumerate(rows):
        whole = [*before, *pieces, *after]
        ids[row, : len(whole)], mask[row, : len(whole)] = torch.tensor(whole), 1
        wanted[row, len(before) : len(before) + len(pieces)] = 1
    states = encoder.encode(ids, mask)
    weights = (mask if how == "output" else wanted).float().unsqueeze(2)
    return (states * weights).sum(1) / weights.sum(1)


def encoder_tokenizer(source: str) -> Backend:
    """Load an encoder's tokenizer; ModelError if it has no readable tokenizer.json."""
    from tokenizers import Tokenizer as Backend

    where, path = checkpoint_label(source, INIT_FROM), fetch_file(source, "tokenizer.json", INIT_FROM)
    if path is None:
        raise ModelError(f"{where}: has no tokenizer.json, which says what its vectors stand for. Name another encoder")
    try:
        return Backend.from_file(str(path))
    except Exception as error:  # the library raises bare Exception for every kind of damage
        raise ModelError(f"{where}: tokenizer.json cannot be read ({error}). Get a fresh copy") from error
