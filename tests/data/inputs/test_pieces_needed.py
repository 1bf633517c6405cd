"""Which pieces stay: special tokens, single characters and bytes, then the frequent ones; too few are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from data.errors import DataError
from data.inputs.pieces_needed import Vocabulary
from data.inputs.tokenizer import PieceTokenizer
from data.inputs.trimmed import count_tokens
from tests.data.inputs.test_trimmed import NEEDED, byte_level_bpe, encode, letters_bpe, trimmed_for, wordpiece


def vocabulary(full: PieceTokenizer) -> Vocabulary:
    counts = count_tokens(np.concatenate(encode(full, NEEDED)), full.vocab_size)
    return Vocabulary(json.loads(full.backend.to_str()), counts, full.pad_id, "made-up")


def test_single_characters_and_bytes_stay_so_that_no_new_word_is_unknown() -> None:
    full = wordpiece()
    text = "".join(dict.fromkeys("".join(NEEDED).lower().replace(" ", "")))
    small = trimmed_for(full, str(len(vocabulary(full).required)))
    assert "[UNK]" not in small.backend.encode(f"{text} {text[::-1]}").tokens
    small = trimmed_for(byte_level_bpe())
    assert small.decode(small.backend.encode("好 Ω 🙂").ids) == "好 Ω 🙂"


def test_a_number_keeps_exactly_that_many_pieces_the_most_frequent_first() -> None:
    full = wordpiece()
    base = vocabulary(full).required
    small = trimmed_for(full, str(len(base) + 5))
    assert small.vocab_size == len(base) + 5
    counts = count_tokens(np.concatenate(encode(full, NEEDED)), full.vocab_size)
    extra = [old for old in small.kept if int(old) not in base]
    rest = [old for old in range(full.vocab_size) if old not in base and old not in extra]
    assert counts[extra].min() >= counts[rest].max()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("6", r"5 special tokens and \d+ single characters.*Try: model\.vocabulary=\d+ or more"),
        ("5000", "not fewer than"),
    ],
)
def test_too_few_and_too_many_tokens_are_refused(wanted: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        trimmed_for(wordpiece(), wanted)


def test_a_bpe_piece_is_kept_with_all_pieces_that_merge_into_it() -> None:
    full = letters_bpe()
    found = vocabulary(full)
    kept = {int(old) for old in found.choose(len(found.required) + 30)}
    merges = {left + right: (left, right) for left, right in reversed(found.model["merges"])}
    made = [piece for piece in merges if found.ids[piece] in kept]
    assert len(made) > 10
    for piece in made:
        assert {found.ids[part] for part in merges[piece]} <= kept
