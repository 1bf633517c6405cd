"""Queries and documents as rows: passages hold every token of a document, and only the document is cut."""

from __future__ import annotations

import numpy as np
import pytest

from data.inputs.hashed_words import HashedWords
from data.inputs.query_document import QueryDocument
from data.inputs.tokenizer import PieceTokenizer, Tokenizer, train_tokenizer, wrap_backend
from data.labels import Labels
from data.splits import TokenSplit

WORDS = [f"w{i}" for i in range(30)]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizer([" ".join(WORDS)] * 2, 300)


def split_of(tokenizer: Tokenizer, pairs: list[tuple[str, str]]) -> TokenSplit:
    own = QueryDocument(tokenizer)
    found = own.encode({"text": [q for q, _ in pairs], "text_pair": [d for _, d in pairs]}, 8)
    offsets = np.concatenate([[0], np.cumsum(found.lengths)])
    labels = Labels(np.arange(len(pairs)))
    return TokenSplit("train", found.tokens, offsets, found.segment_starts, labels, found.truncated, own)


def rows(split: TokenSplit) -> list[list[int]]:
    return [split.tokens[a:b].tolist() for a, b in zip(split.offsets, split.offsets[1:])]


def test_passages_hold_the_query_and_together_the_whole_document(tokenizer: Tokenizer) -> None:
    whole = split_of(tokenizer, [("w1 w2", " ".join(WORDS)), ("w3", "w4")])
    found = whole.input.lay_out(whole, 16, passages=True)  # type: ignore[attr-defined]
    start, document = int(whole.segment_starts[0]), rows(whole)[0][int(whole.segment_starts[0]) : -1]
    assert found.parts.tolist()[-1] == len(found) and found.parts.tolist()[-2] == len(found) - 1
    seen: set[int] = set()
    for row, begin in zip(rows(found)[:-1], found.segment_starts.tolist()):
        assert len(row) == 16 and begin == start and row[:start] == rows(whole)[0][:start]
        body = row[start:-1]
        at = next(i for i in range(len(document)) if document[i : i + len(body)] == body)
        seen |= {*range(at, at + len(body))}
    assert seen == set(range(len(document))) and rows(found)[-1] == rows(whole)[1]
    assert found.truncated == 0 and set(found.labels.values.tolist()) == {0, 1}


def test_without_passages_the_document_loses_its_end(tokenizer: Tokenizer) -> None:
    whole = split_of(tokenizer, [("w1 w2", " ".join(WORDS)), ("w3", "w4")])
    found = whole.input.lay_out(whole, 16, passages=False)  # type: ignore[attr-defined]
    assert found.parts is None and found.truncated == 1
    assert rows(found)[0] == [*rows(whole)[0][:15], rows(whole)[0][-1]] and rows(found)[1] == rows(whole)[1]


def test_a_query_that_is_too_long_loses_its_end(tokenizer: Tokenizer) -> None:
    whole = split_of(tokenizer, [(" ".join(WORDS), " ".join(WORDS))])
    found = whole.input.lay_out(whole, 16, passages=True)  # type: ignore[attr-defined]
    separator = rows(whole)[0][-1]
    assert found.truncated == 1 and all(row[11 - 1] == separator for row in rows(found))
    assert found.segment_starts.tolist() == [11] * len(found) and set(found.lengths.tolist()) == {16}


def test_short_rows_stay_as_they_are(tokenizer: Tokenizer) -> None:
    whole = split_of(tokenizer, [("w1", "w2"), ("w3", "")])
    assert whole.input.lay_out(whole, 16, passages=True) is whole  # type: ignore[attr-defined]


def test_a_question_of_a_long_document_is_several_rows(tokenizer: Tokenizer) -> None:
    asked = QueryDocument(tokenizer).ask([["w1", "w2"], ["w3", " ".join(WORDS)]], 16)
    assert asked.rows is not None and asked.rows[:2].tolist() == [0, 1] and asked.rows[-1] == len(asked.split)
    assert not asked.is_cut.any() and asked.lengths.tolist()[1] > 16
    cut = QueryDocument.for_questions(tokenizer, ("text", "text_pair"), {"passages": "first"})
    assert cut.ask([["w1", "w2"], ["w3", " ".join(WORDS)]], 16).is_cut.tolist() == [False, True]


def test_a_cut_query_is_reported_beside_passages(tokenizer: Tokenizer) -> None:
    long = " ".join(WORDS)
    asked = QueryDocument(tokenizer).ask([["w1", long, long], [long, long, "w1"]], 16)
    assert asked.is_cut.tolist() == [False, True, True]


def test_a_document_without_a_segment_of_its_own_is_reported_as_cut() -> None:
    from tokenizers import processors

    backend = train_tokenizer([" ".join(WORDS)] * 2, 300).backend
    backend.post_processor = processors.RobertaProcessing(("[SEP]", 3), ("[CLS]", 2))
    asked = QueryDocument(wrap_backend(backend, "none")).ask([["w1", "w1"], ["w2", " ".join(WORDS)]], 16)
    assert asked.is_cut.tolist() == [False, True] and asked.split.truncated == 1


def test_passages_without_special_tokens_have_nothing_but_the_query_and_their_part(tokenizer: Tokenizer) -> None:
    assert isinstance(tokenizer, PieceTokenizer)
    for bare in (wrap_backend(tokenizer.backend, "none", tokenizer.names, {"drops_unknown": False}), HashedWords()):
        whole = split_of(bare, [("w1", " ".join(WORDS)), ("", " ".join(WORDS)), ("w1", ""), ("", "")])
        found = whole.input.lay_out(whole, 16, passages=True)  # type: ignore[attr-defined]
        for number, row in enumerate(rows(whole)):
            start = int(whole.segment_starts[number])
            parts = rows(found)[slice(*found.parts[number : number + 2])]
            assert all(part[:start] == row[:start] and len(part) == min(16, len(row)) for part in parts)
            bodies = [part[start:] for part in parts]
            assert all(any(row[i : i + len(body)] == body for i in range(start, len(row) + 1)) for body in bodies)
            assert {token for body in bodies for token in body} == set(row[start:])
