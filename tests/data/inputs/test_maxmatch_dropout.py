"""Words in other pieces: cuts worked out by hand, and rows that depend on the seed, the epoch and the row alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import models

from data.batch import collate
from data.errors import DataError
from data.inputs.maxmatch_dropout import MaxMatchDropout
from data.inputs.text import Text
from data.inputs.tokenizer import SPECIAL, PieceTokenizer, bert_backend, wrap_backend
from data.inputs.tokenizer_files import KEYS
from data.labels import Labels
from data.splits import TokenSplit
from data.targets.class_label import ClassLabel

# abc is "abc"; abcd is "abc ##d", and without its longest pieces "ab ##cd", "a ##bcd" and so on; q and xz have no cut.
PIECES = [
    *SPECIAL,
    *["a", "b", "c", "d", "x"],
    "ab",
    "abc",
    "xy",
    *["##b", "##c", "##d", "##bc", "##cd", "##bcd", "##y"],
]
IDS = {piece: number for number, piece in enumerate(PIECES)}


def tokenizer() -> PieceTokenizer:
    return wrap_backend(bert_backend(IDS, {}, dict(zip(KEYS, SPECIAL))), "made here")


def dropout(share: float, *, seed: int = 0, max_length: int = 32) -> MaxMatchDropout:
    return MaxMatchDropout(tokenizer(), share=share, seed=seed, max_length=max_length)


def cut(text: str, draws: list[float], share: float = 0.5) -> str:
    """A text in the pieces that these draws lead to, without special tokens; no more draws may be asked for."""

    class Given:
        def random(self, size: int) -> np.ndarray:
            assert draws, "more draws than expected"
            found, draws[:] = np.array(draws[::-1]), []
            return found

    ids = tokenizer().encode([text], None, 32).tokens.tolist()
    found, _ = dropout(share).split_row(ids, len(ids), Given())  # type: ignore[arg-type]
    return " ".join(PIECES[number] for number in found[1:-1])


@pytest.mark.parametrize(
    ("text", "draws", "expected"),
    [
        ("abcd", [0.5], "abc ##d"),  # abc is taken, and ##d is the only piece that fits then
        ("abcd", [0.4, 0.9, 0.5], "ab ##cd"),  # abc is passed over, ab is taken, ##cd too
        ("abcd", [0.4, 0.9, 0.4], "ab ##c ##d"),
        ("abcd", [0.1, 0.1, 0.7], "a ##bcd"),  # a is the shortest: no draw
        ("abcd", [0.1, 0.1, 0.2, 0.8], "a ##bc ##d"),
        ("abcd", [0.1, 0.1, 0.2, 0.3, 0.6], "a ##b ##cd"),
        ("abc d", [0.1, 0.7], "ab ##c d"),
        ("xy ab", [0.1, 0.1], "x ##y a ##b"),
        ("q abz", [], "[UNK] [UNK]"),  # unknown words stay as they are
    ],
)
def test_a_piece_is_passed_over_when_its_draw_is_below_the_share(text: str, draws: list[float], expected: str) -> None:
    assert cut(text, draws) == expected


def test_a_share_of_0_splits_as_usual_and_a_share_of_1_into_single_characters() -> None:
    ids = tokenizer().encode(["abcd xy abc"], None, 32).tokens.tolist()
    random = np.random.default_rng(0)
    assert dropout(0.0).split_row(ids, len(ids), random)[0] == ids
    found = [PIECES[number] for number in dropout(1.0).split_row(ids, len(ids), random)[0]]
    assert found == ["[CLS]", "a", "##b", "##c", "##d", "x", "##y", "a", "##b", "##c", "[SEP]"]


def test_a_word_that_no_pieces_fit_after_a_choice_keeps_its_usual_pieces() -> None:
    trimmed = [piece for piece in PIECES if piece not in ("##b", "##bc", "##bcd")]  # nothing goes on after a
    ids = {piece: number for number, piece in enumerate(trimmed)}
    made = wrap_backend(bert_backend(ids, {}, dict(zip(KEYS, SPECIAL))), "made here")
    row = made.encode(["abcd"], None, 32).tokens.tolist()
    always = MaxMatchDropout(made, share=1.0, seed=0, max_length=32)
    assert always.split_row(row, len(row), np.random.default_rng(0))[0] == row


def test_longer_rows_are_cut_as_the_tokenizer_cuts_them() -> None:
    own, random = tokenizer(), np.random.default_rng(0)
    ids = own.encode(["abcd xy"], None, 6).tokens.tolist()
    found, start = dropout(1.0, max_length=6).split_row(ids, len(ids), random)
    assert [PIECES[number] for number in found] == ["[CLS]", "a", "##b", "##c", "##d", "[SEP]"] and start == 6
    encoded = own.encode(["abcd"], ["xy"], 8)
    found, start = dropout(1.0, max_length=8).split_row(encoded.tokens.tolist(), int(encoded.segment_starts[0]), random)
    assert [PIECES[number] for number in found] == [
        "[CLS]",
        "a",
        "##b",
        "##c",
        "[SEP]",
        "x",
        "##y",
        "[SEP]",
    ] and start == 5


def rows() -> TokenSplit:
    own = tokenizer()
    found = own.encode(["abcd abcd abc abcd", "xy", "abc abcd xy ab abcd"], None, 32)
    offsets = np.concatenate([[0], np.cumsum(found.lengths)])
    labels = Labels(np.array([0, 1, 0]))
    made = TokenSplit(
        "train", found.tokens.astype(np.uint16), offsets, found.segment_starts, labels, 0, Text(own),
        ClassLabel(("n", "p")),
    )  # fmt: skip
    return replace(made, augment=dropout(0.4))


def ids_of(split: TokenSplit, *numbers: int, epoch: int | None = 0) -> list[list[int]]:
    inputs = collate(split, np.array(numbers), epoch=epoch).inputs
    mask = inputs.get("attention_mask", np.ones_like(inputs["input_ids"])).astype(bool)
    return [row[real].tolist() for row, real in zip(inputs["input_ids"], mask)]


def test_a_row_depends_on_seed_epoch_and_row_and_not_on_its_batch() -> None:
    split = rows()
    batch = ids_of(split, 0, 1, 2)
    assert batch[2:] == ids_of(split, 2) and [batch[2], batch[0]] == ids_of(split, 2, 0)
    assert batch != ids_of(split, 0, 1, 2, epoch=1)
    assert batch != ids_of(replace(split, augment=dropout(0.4, seed=1)), 0, 1, 2)
    fresh = replace(split, augment=dropout(0.4))  # as after a restart, which remembers no word
    assert ids_of(fresh, 2, epoch=1) == ids_of(split, 2, epoch=1)


def test_outside_training_rows_stay_as_they_are() -> None:
    split = rows()
    assert ids_of(split, 0, 1, 2, epoch=None) == ids_of(replace(split, augment=None), 0, 1, 2)


def test_a_tokenizer_of_another_kind_is_refused() -> None:
    backend = Backend(models.BPE({"a": 0, "<pad>": 1}, []))
    other = wrap_backend(backend, "made here", {"pad_token": "<pad>"})
    with pytest.raises(DataError, match="made here is a BPE"):
        MaxMatchDropout(other, share=0.1, seed=0, max_length=32)
