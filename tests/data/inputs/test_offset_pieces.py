"""Tokens with the characters that they stand for, and the special tokens around two texts."""

from __future__ import annotations

import numpy as np
import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from data.errors import DataError
from data.inputs.offset_pieces import PairFrame, offset_pieces
from data.inputs.tokenizer import PieceTokenizer, bert_backend, train_tokenizer, wrap_backend

TEXTS = ["Caf\u00e9 \u0130stanbul", "the  42nd \U0001f600 day", "", "the  42nd \U0001f600 day"]


@pytest.fixture(scope="module")
def bert() -> PieceTokenizer:
    return train_tokenizer([*TEXTS, "day the cafe istanbul"] * 4, 60)


def byte_level(template: bool = True) -> PieceTokenizer:
    """A tokenizer like RoBERTa's: bytes, a space belongs to the word behind it, two special tokens between texts."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: i for i, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *letters])}
    backend = Backend(models.BPE(vocab, [], unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    if template:
        backend.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return wrap_backend(backend, "roberta", {"pad_token": "<pad>"})


def test_characters_are_those_of_the_raw_text(bert: PieceTokenizer) -> None:
    pieces = offset_pieces(bert, TEXTS)
    edges = np.concatenate([[0], np.cumsum(pieces.counts)])
    for number, text in enumerate(TEXTS):
        part = slice(*edges[number : number + 2])
        assert pieces.tokens[part].tolist() == bert.backend.encode(text, add_special_tokens=False).ids
        covered = "".join(text[a:b] for a, b in pieces.characters[part].tolist())
        assert covered == "".join(text.split())


def test_bytes_of_one_letter_stand_for_that_letter() -> None:
    found = offset_pieces(byte_level(), ["\u00e9a"])
    assert found.characters.tolist() == [[0, 1], [0, 1], [1, 2]]


def test_the_frame_is_the_tokenizers_own(bert: PieceTokenizer) -> None:
    frame = PairFrame.of(bert)
    cls, sep = (bert.backend.token_to_id(token) for token in ("[CLS]", "[SEP]"))
    assert [part.tolist() for part in (frame.before, frame.between, frame.after)] == [[cls], [sep], [sep]]
    assert frame.has_segments and len(frame) == 3
    other = PairFrame.of(byte_level())
    assert [part.tolist() for part in (other.before, other.between, other.after)] == [[0], [2, 2], [2]]
    assert not other.has_segments


def test_a_tokenizer_without_a_first_special_token_is_refused() -> None:
    with pytest.raises(DataError, match="no special token before two texts"):
        PairFrame.of(byte_level(template=False))


def test_other_normalisers_keep_the_characters_too() -> None:
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), "PUCSM"))
    backend = bert_backend({token: i for i, token in enumerate([*"PUCSM", "fi", "x"])}, {}, names)
    backend.normalizer = normalizers.NFKC()
    found = offset_pieces(wrap_backend(backend, "nfkc", names), ["\ufb01 x"])  # one letter becomes two
    assert found.characters.tolist() == [[0, 1], [2, 3]]
