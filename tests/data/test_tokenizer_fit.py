"""Notes and refusals where a tokenizer does not fit the training texts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from data.errors import DataError
from data.inputs.hashed_words import HashedWords
from data.inputs.tokenizer import PieceTokenizer, lower_as, train_tokenizer
from data.load import load_splits
from data.splits import Splits
from data.tokenizer_fit import case_notes, is_turkish, side_notes, sign_notes, unknown_note, unknown_share
from runner.config.compose import compose
from runner.config.resolve import resolve

TURKISH = ["bu ışıklı filmi çok sevdim, kız da öyle", "yazık, hiç şaşırmadım; ağır ağır ilerliyor"]
ENGLISH = ["a film of many words, most of them known", "İstanbul was named once"]


@pytest.fixture(scope="module")
def english() -> PieceTokenizer:
    return replace(train_tokenizer(["the quick brown fox jumps over a lazy dog"] * 9, 99), source="bert-x")


def split(tokenizer: PieceTokenizer, unknown: int) -> Any:
    """100 rows of 10 pieces between [CLS] and [SEP], `unknown` of the pieces unknown."""
    ids = {key: tokenizer.backend.token_to_id(name) for key, name in tokenizer.names.items()}
    pieces = np.full(1000, tokenizer.backend.token_to_id("fox"))
    pieces[:unknown] = ids["unk_token"]
    rows = np.hstack(
        [np.full((100, 1), ids["cls_token"]), pieces.reshape(100, 10), np.full((100, 1), ids["sep_token"])]
    )
    return cast(Any, SimpleNamespace(tokens=rows.reshape(-1).astype(np.uint16)))


def test_the_share_is_of_the_pieces_without_special_tokens(english: PieceTokenizer) -> None:
    assert unknown_share(split(english, 250).tokens, english) == 0.25
    assert unknown_share(np.array([1, 2]), HashedWords()) is None, "no word is unknown"
    also = replace(english, names=english.names | {"bos_token": english.names["unk_token"]})
    assert unknown_share(split(also, 250).tokens, also) is None, "the token begins each text"


@pytest.mark.parametrize(
    ("unknown", "said"), [(10, None), (11, "1.1%"), (50, "Try: model.tokenizer=train"), (51, "which costs accuracy")]
)
def test_a_note_says_how_many_pieces_are_unknown(english: PieceTokenizer, unknown: int, said: str | None) -> None:
    note = unknown_note(split(english, unknown), english)
    assert note is None if said is None else said in str(note) and "bert-x" in str(note)
    assert unknown > 50 or "costs accuracy" not in str(note)


@pytest.mark.parametrize("where", ["tokenizer_config.json", "tokenizer.json"])
def test_a_tokenizer_that_drops_beginnings_is_noted_where_ends_are_dropped(
    english: PieceTokenizer, tmp_path: Path, where: str
) -> None:
    english.save(tmp_path)
    tokenizer = replace(english, source=str(tmp_path))

    assert side_notes(3, tokenizer) == []
    content = json.loads((tmp_path / where).read_text())
    left = {"direction": "Left", "max_length": 9, "strategy": "LongestFirst", "stride": 0}
    content |= {"truncation": left} if where == "tokenizer.json" else {"truncation_side": "left"}
    (tmp_path / where).write_text(json.dumps(content))
    (note,) = side_notes(3, tokenizer)
    assert "truncation_side=left" in note and "Try: data.truncate=middle" in note
    assert side_notes(0, tokenizer) == []


def test_a_vocabulary_that_cannot_read_the_texts_is_refused(english: PieceTokenizer) -> None:
    assert unknown_note(split(english, 300), english)
    with pytest.raises(
        DataError, match=r"30\.1% of the training texts' pieces are \[UNK\].*Try: model.tokenizer=train"
    ):
        unknown_note(split(english, 301), english)
    own = replace(english, source="train")
    with pytest.raises(DataError, match="a larger model"):
        unknown_note(split(own, 301), own)


def test_turkish_texts_under_other_rules_of_lower_case_are_told(english: PieceTokenizer) -> None:
    assert is_turkish(TURKISH) and not is_turkish(ENGLISH)
    (note,) = case_notes(TURKISH, english, None)
    assert "reads IŞIK and ışık as different words" in note and note.endswith("Try: data.lower=tr")
    assert case_notes(ENGLISH, english, None) == []
    (note,) = case_notes(TURKISH, lower_as(english, "tr"), "tr")
    assert "strips accents" in note
    assert case_notes(TURKISH, train_tokenizer(TURKISH * 9, 120, "tr"), "tr") == []
    (note,) = case_notes(TURKISH, HashedWords(), None)
    assert note == "the texts are Turkish, but the model reads IŞIK and ışık as different words. Try: data.lower=tr"
    assert case_notes(ENGLISH, HashedWords(), None) == case_notes(TURKISH, HashedWords(language="tr"), "tr") == []


def test_vowel_signs_that_a_tokenizer_drops_are_told(english: PieceTokenizer) -> None:
    hindi = ["किताब और किताबें, मैं हूँ"] * 9
    (note,) = sign_notes(hindi, english)
    assert "drops vowel signs" in note and "Try: model.tokenizer=train" in note
    assert sign_notes(hindi, train_tokenizer(hindi, 120)) == sign_notes(hindi, HashedWords()) == []
    assert sign_notes(ENGLISH, english) == sign_notes(TURKISH, english) == []


def read_some(name: str, cache: Path, tokenizer: str, rows: int) -> Splits:
    """The splits of a hub dataset, cut down to a few rows, in the tokens of a tokenizer."""
    settings = resolve(compose([f"data={name}", "model=dsn", f"data.max_rows={rows}", "data.max_eval_rows=400"])).data
    return load_splits(settings, tokenizer=tokenizer, vocab_size=4096, cache=cache)


@pytest.mark.hub
def test_an_english_vocabulary_is_refused_for_chinese_and_a_trained_one_reads_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"6\d\.\d% of the training texts' pieces are \[UNK\]"):
        read_some("chnsenticorp", tmp_path, "google-bert/bert-base-uncased", 1000)
    splits = read_some("chnsenticorp", tmp_path, "train", 9600)
    share = unknown_share(splits.select.tokens, splits.tokenizer)
    assert share is not None and share < 0.01


@pytest.mark.hub
def test_pairs_of_one_premise_stay_in_one_split(tmp_path: Path) -> None:
    splits = read_some("xnli", tmp_path, "words", 9999)
    texts = [part.texts for part in (splits.train, splits.select, *splits.report) if part.texts is not None]
    train, select, report = (set(part.read(np.arange(len(part)))["text"]) for part in texts)
    assert not train & select and not train & report and not select & report
