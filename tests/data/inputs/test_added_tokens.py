"""Texts that a tokenizer keeps whole: the ids that they get, and the same ids in whatever opens the tokenizer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer as Backend

from data.errors import DataError
from data.inputs.added_tokens import added_notes, added_to, with_added, without
from data.inputs.hashed_words import HashedWords
from data.inputs.tokenizer import PieceTokenizer, load_tokenizer, lower_as, train_tokenizer
from data.inputs.trimmed import trim
from tests.data.inputs.test_language_case import uncased
from tests.runner.deploy.bundle.hard_texts import HARD
from tests.runner.deploy.tag_runs import byte_pairs

NAMES = ["[NAME]", "[RELIGION]"]
PIECES = ["thanks", "!", "[", "]", "name", "'", "s", "i"]
TEXT = "Thanks [NAME]'s[name] I[RELIGION]!"
# [PAD] [UNK] [CLS] [SEP] [MASK] are 0 to 4
GOLDEN = {
    "unused": (
        [*PIECES[:2], "[unused0]", "[unused1]", "[unused2]", *PIECES[2:]], [7, 8],
        [2, 5, 7, 13, 14, 10, 12, 11, 15, 8, 6, 3],
    ),
    "one unused": (["[unused0]", *PIECES], [5, 14], [2, 6, 5, 11, 12, 8, 10, 9, 13, 14, 7, 3]),
    "none": (PIECES, [13, 14], [2, 5, 13, 10, 11, 7, 9, 8, 12, 14, 6, 3]),
}  # fmt: skip


@pytest.mark.parametrize("kind", GOLDEN)
def test_a_token_takes_an_unused_piece_or_the_next_id(tmp_path: Path, kind: str) -> None:
    pieces, ids, row = GOLDEN[kind]
    plain = uncased(tmp_path, pieces)
    made = with_added(plain, NAMES)
    assert [made.backend.token_to_id(name) for name in NAMES] == ids
    assert made.encode([TEXT], None, 64).tokens.tolist() == row
    assert made.vocab_size == max(plain.vocab_size, *[number + 1 for number in ids]) and added_to(made) == tuple(NAMES)
    assert made.fingerprint != plain.fingerprint and added_to(plain) == ()
    assert with_added(made, NAMES[1:]).fingerprint == made.fingerprint, "what is there is not added again"
    assert with_added(plain, []) is plain


def test_a_saved_folder_gives_the_same_ids_to_whatever_opens_it(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    made = with_added(lower_as(uncased(tmp_path, GOLDEN["one unused"][0]), "tr"), NAMES)
    made.save(tmp_path / "model")
    texts = [TEXT, "[NAME] İ[NAME][NAME] [ NAME ]", *HARD]
    wanted = [made.encode([text], None, 64).tokens.tolist() for text in texts]
    stock = AutoTokenizer.from_pretrained(tmp_path / "model")
    again = load_tokenizer(str(tmp_path / "model"))
    assert [stock(text, truncation=True, max_length=64)["input_ids"] for text in texts] == wanted
    assert [again.encode([text], None, 64).tokens.tolist() for text in texts] == wanted
    assert again.fingerprint == made.fingerprint


def test_the_words_of_a_batch_have_the_ids_of_a_text_alone(tmp_path: Path) -> None:
    made = with_added(uncased(tmp_path, GOLDEN["unused"][0]), NAMES)
    texts = [TEXT, "x[NAME]y [NAME]", " [NAME] ", *HARD]
    found = made.encode(texts, None, 16)
    made.backend.enable_truncation(16)
    assert found.tokens.tolist() == [number for text in texts for number in made.backend.encode(text).ids]


def test_other_tokenizers_keep_texts_whole_too() -> None:
    made = with_added(byte_pairs(), NAMES)
    tokens = made.backend.encode(TEXT, add_special_tokens=False).tokens
    assert [token for token in tokens if token in NAMES] == NAMES and made.vocab_size == byte_pairs().vocab_size + 2


def test_a_trimmed_vocabulary_keeps_added_tokens(tmp_path: Path) -> None:
    made = with_added(uncased(tmp_path, [*GOLDEN["one unused"][0], "never"]), NAMES)
    counts = np.zeros(made.vocab_size, np.int64)
    counts[made.encode([TEXT.replace("[RELIGION]", "")], None, 64).tokens] = 9
    trimmed = trim(made, counts, "task")
    trimmed.save(tmp_path / "model")
    again = load_tokenizer(str(tmp_path / "model"))
    assert isinstance(again, PieceTokenizer) and added_to(again) == tuple(NAMES)
    old = trimmed.kept[again.encode([TEXT], None, 64).tokens]
    assert old.tolist() == made.encode([TEXT], None, 64).tokens.tolist() and trimmed.vocab_size < made.vocab_size


def test_added_tokens_are_left_out_of_the_texts_that_train_a_vocabulary() -> None:
    assert without("a[NAME] b [RELIGION]", NAMES) == "a  b  "
    texts = [without(f"[NAME] likes {word}", NAMES) for word in ("films", "songs", "tea")] * 5
    made = with_added(train_tokenizer(texts, 60), NAMES)
    assert "[" not in made.backend.get_vocab() and made.backend.encode("[NAME]").tokens == ["[CLS]", "[NAME]", "[SEP]"]


def test_tokens_without_effect_are_named(tmp_path: Path) -> None:
    made = with_added(uncased(tmp_path, PIECES), NAMES)
    tokens = made.encode(["[NAME] thanks"], None, 64).tokens
    assert added_notes(tokens, made, NAMES) == [
        "data.added_tokens: no training text has [RELIGION], so nothing is learnt about it"
    ]
    assert added_notes(tokens, made, NAMES[:1]) == added_notes(tokens, HashedWords(), []) == []
    (note,) = added_notes(tokens, HashedWords(), NAMES)
    assert note == "data.added_tokens has no effect: the tokenizer words has no pieces that it could add to"


def test_a_special_token_cannot_be_added(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.added_tokens: \[MASK\] is a special token of .*Leave it out"):
        with_added(uncased(tmp_path, PIECES), ["[MASK]"])


def test_a_piece_that_is_known_keeps_its_id(tmp_path: Path) -> None:
    plain = uncased(tmp_path, [*PIECES, "[NAME]"])
    made = with_added(plain, ["[NAME]"])
    assert made.backend.token_to_id("[NAME]") == 13 and made.vocab_size == plain.vocab_size
    content = json.loads(Backend.from_str(made.backend.to_str()).to_str())
    assert content["added_tokens"][-1]["content"] == "[NAME]"
