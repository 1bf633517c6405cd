"""Answers as characters of a context, and as the first and the last token that stand for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.inputs.context_windows import trimmed
from data.inputs.tokenizer import PieceTokenizer, train_tokenizer
from data.labels import Labels
from data.settings import DataSettings
from data.stores.build_once import SharedCache
from data.stores.tokens import open_tokens
from data.targets.choice import TARGETS
from data.targets.span import Span, answer_tokens, labelled_characters
from runner.statistics.span_texts import normalise
from tests.data.questions import Asked, raw_questions, split_of_questions, whole_questions

ROWS = [
    Asked("where ?", "It's in \u0130stanbul, Turkey (1453).", ["\u0130stanbul"]),
    Asked("when ?", "It's in \u0130stanbul, Turkey (1453).", ["1453"]),
    Asked("who ?", "It's in \u0130stanbul, Turkey (1453)."),
    Asked("how much ?", "about 42kg of it", ["42"]),
]


@pytest.fixture(scope="module")
def tokenizer() -> PieceTokenizer:
    return train_tokenizer([f"{row.question} {row.context}" for row in ROWS] * 3, 300)


def test_an_answer_is_the_tokens_that_have_its_characters(tokenizer: PieceTokenizer) -> None:
    split = whole_questions(tokenizer, ROWS)
    found = labelled_characters(split)
    for row, (start, end) in zip(ROWS[:2], found.tolist()):
        assert row.context[start:end] == row.golds[0]
    assert found[2].tolist() == [-1, -1]
    assert ROWS[3].context[slice(*found[3])] == "42kg"  # one token has the answer and more


def test_round_trip_from_characters_to_tokens_and_back(tokenizer: PieceTokenizer) -> None:
    words = ["the", "Café", "of", "İzmir's", "U.S.", "(1,000)", "“quoted”", "中文", "été"]
    random = np.random.default_rng(0)
    rows = []
    for _ in range(60):
        first, last = sorted(random.integers(len(words), size=2))
        chosen = [words[i] for i in random.permutation(len(words))]
        answer = " ".join(chosen[first : last + 1])
        rows.append(Asked("?", "  ".join([" ".join(chosen[:first]), answer, " ".join(chosen[last + 1 :])]), [answer]))
    pieces = train_tokenizer([" ".join(words)] * 4, 200)
    split = whole_questions(pieces, rows)
    places = labelled_characters(split).tolist()
    texts = [row.context[slice(*trimmed(row.context, *place))] for row, place in zip(rows, places)]
    assert [normalise(text) for text in texts] == [normalise(row.golds[0]) for row in rows]


def test_an_answer_without_a_token_has_none() -> None:
    characters = np.array([[-1, -1], [0, 1], [4, 5], [-1, -1]], np.int32)
    rows = np.array([[2, 3], [0, 5], [3, 9], [-1, -1]])
    starts, lengths = np.arange(4) * 4, np.full(4, 4)
    first, last = answer_tokens(rows, np.tile(characters, (4, 1)), starts, lengths)
    assert (first - starts).tolist() == [0, 1, 2, 0] and (last - starts).tolist() == [0, 2, 2, 0]


def test_whether_a_set_has_questions_without_an_answer_is_found_by_the_check() -> None:
    labels = raw_questions(ROWS).labels
    target = Span()
    assert target.check({"train": labels.take(np.array([0, 1]))}, "rows") and not target.has_empty
    target.check({"train": labels.take(np.array([0])), "val": labels}, "rows")
    assert target.has_empty and target.names == ("start", "end") and TARGETS["span"] is Span


def test_notes_say_what_was_cut_and_what_lies_inside_a_token(tokenizer: PieceTokenizer) -> None:
    rows = [*ROWS, Asked(" ".join(["where"] * 70), " ".join(["Turkey"] * 90), ["Turkey"])]
    split, settings = split_of_questions(tokenizer, rows, 100), DataSettings(max_length=100)
    notes = Span().notes_on(split, settings)
    assert notes == [
        "1 of 5 train rows are longer than data.max_length=100 and were split into windows, which overlap: "
        "8 windows in all",
        "1 train questions have more than 64 tokens and were cut",
        "1 train answers begin or end inside a token; the whole token is taken",
    ]
    assert Span().notes_on(replace(split, texts=None), settings) == notes[:2]


def test_the_store_keeps_the_characters(tokenizer: PieceTokenizer, tmp_path: object) -> None:
    raw, target = raw_questions(ROWS), Span()
    whole = whole_questions(tokenizer, ROWS)
    encoded = whole.input.encode(raw.read(np.arange(len(ROWS))), 8)
    stored = open_tokens(
        SharedCache(tmp_path), "train", {"source": "x"}, lambda: [(encoded, target.align(raw.labels, encoded))],
        vocab_size=300, input=whole.input, target=target,
    )  # fmt: skip
    assert stored.labels.characters.tolist() == whole.labels.characters.tolist()
    assert stored.labels.values.tolist() == whole.labels.values.tolist() and stored.labels.values.dtype == np.int8
    laid_out = [Span().arrange(one, DataSettings(max_length=12)) for one in (stored, whole)]
    assert laid_out[0].tokens.tolist() == laid_out[1].tokens.tolist() and laid_out[0].parts is not None


def test_taken_rows_keep_their_characters_and_texts(tokenizer: PieceTokenizer) -> None:
    split = split_of_questions(tokenizer, ROWS, 12)
    assert split.parts is not None and split.texts is not None
    last = len(split) - 1
    taken = split.take(np.array([last, 0]))
    assert taken.texts is not None and len(taken.texts) == 2
    assert taken.texts.read(np.array([0, 1]))["text"] == [ROWS[3].question, ROWS[0].question]
    assert taken.texts.facts(np.array([1]))["_golds"] == [list(ROWS[0].golds)]
    both = taken.labels.followed_by(split.labels.take(np.array([0])))
    assert both.characters is not None and len(both.characters) == len(both.values)
    assert isinstance(both, Labels)
