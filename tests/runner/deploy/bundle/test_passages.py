"""The reader of rankers gives a long document the score of its passages, as evaluation does."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from tokenizers import processors

from data.inputs.query_document import QueryDocument
from data.inputs.tokenizer import PieceTokenizer, train_tokenizer, wrap_backend
from runner.deploy.bundle.encoder import LibraryRows
from runner.deploy.bundle.passages import Passages
from runner.deploy.bundle.wordpiece import WordPiece
from runner.deploy.graph_facts import wordpiece_vocabulary

WORDS = "the quick brown fox asks who wrote a letter to her"


class Recorded:
    """A scorer whose score is the sum of a row's ids; it keeps the rows."""

    def __init__(self, pieces: WordPiece | LibraryRows, most: int) -> None:
        self.pieces, self.most, self.seen = pieces, most, list[tuple[list[int], int]]()

    def score_row(self, ids: list[int], start: int) -> list[float]:
        self.seen.append((ids, start))
        return [float(sum(ids))]

    def length(self, text: str, pair: str | None = None) -> int:
        return self.pieces.length(text, pair)


def tokenizer(kind: str) -> PieceTokenizer:
    """Like BERT's; without special tokens; or without segments, as RoBERTa's."""
    found = train_tokenizer([WORDS] * 3, 60)
    if kind == "bare":
        return wrap_backend(found.backend, "train", found.names, {})
    if kind == "one segment":
        ends = [("[CLS]", 2), ("[SEP]", 3)]
        pair = "[CLS]:0 $A:0 [SEP]:0 $B:0 [SEP]:0"
        found.backend.post_processor = processors.TemplateProcessing(
            single="[CLS]:0 $A:0 [SEP]:0", pair=pair, special_tokens=ends
        )
        return wrap_backend(found.backend, "train", found.names)
    return found


@pytest.mark.parametrize("kind", ["bert", "bare", "one segment"])
@pytest.mark.parametrize("way", ["max", "mean", "first"])
def test_rows_are_those_of_training(kind: str, way: str, tmp_path: Path) -> None:
    own, most = tokenizer(kind), 13
    own.save(tmp_path)
    if kind == "one segment":
        pieces: WordPiece | LibraryRows = LibraryRows(tmp_path / "tokenizer.json")
    else:
        vocabulary = wordpiece_vocabulary(json.loads(own.backend.to_str()))
        ids = dict(zip(vocabulary.pieces, vocabulary.ids.tolist()))
        ends = {
            end: None if (at := vocabulary.settings[end]) is None else int(vocabulary.ids[at])
            for end in ("first", "last")
        }
        pieces = WordPiece(ids, vocabulary.settings | ends)
    scorer = Recorded(pieces, most)
    reader, asked = Passages(scorer, way), QueryDocument(own, passages=way != "first")
    words = (WORDS + " ") * 4
    for one, other in product((1, 2, 5, 9, 14, 40), (0, 1, 3, 7, 20, 44)):
        query, document = (" ".join(words.split()[:count]) for count in (one, other))
        scorer.seen.clear()
        found = reader.score(query, document)
        ready = asked.ask([[query], [document]], most)
        split = ready.split
        wanted = [split.tokens[a:b].tolist() for a, b in zip(split.offsets, split.offsets[1:])]
        assert scorer.seen == list(zip(wanted, np.asarray(split.segment_starts).tolist())), (one, other)
        sums = [sum(row) for row in wanted]
        assert found == [pytest.approx(np.mean(sums) if way == "mean" else max(sums))]
        if len(wanted) > 1:
            assert reader.length(query, document) <= most


def test_an_unknown_way_is_refused(tmp_path: Path) -> None:
    tokenizer("bert").save(tmp_path)
    with pytest.raises(ValueError, match="'last'"):
        Passages(Recorded(LibraryRows(tmp_path / "tokenizer.json"), 8), "last")
