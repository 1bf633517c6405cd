"""Rows of judged queries: their order, what is left out, and ids that do not belong together."""

from __future__ import annotations

import numpy as np
import pytest

from data.errors import DataError
from data.sources.collection import Collection, ranked_rows, raw_split
from data.sources.trec import Line


def lines(*found: tuple[str, str, float]) -> list[Line]:
    return [Line(number, *one) for number, one in enumerate(found, 1)]


def test_rows_are_by_document_id_descending_with_relevant_documents_that_are_no_candidates() -> None:
    notes: list[str] = []
    judged = lines(("q2", "a", 2), ("q2", "d", 1), ("q2", "e", 0), ("q1", "b", 1), ("q3", "a", 0))
    run = lines(("q1", "b", 4.0), ("q2", "10", 3.0), ("q2", "a", 1.0), ("q2", "9", 2.0), ("q7", "a", 1.0))
    found = ranked_rows(judged, run, 1, "here", notes)
    assert found.queries == ["q2"] * 4 + ["q1"] and found.documents == ["d", "a", "9", "10", "b"]
    gains, retrieved, first, query = found.labels().values.T.tolist()
    assert gains == [1, 2, 0, 0, 1] and retrieved == [0, 1, 1, 1, 1]
    assert first == [0, 1, 2, 3, 4] and query == [0, 0, 0, 0, 1]
    assert found.source_rows == [2, 3, 4, 2, 1]
    assert notes == [
        "here: 1 of 3 judged queries have no relevant document, and are left out",
        "here: 0 of the 2 candidates that are not relevant are judged; the others count as negatives",
    ]
    mixed = ranked_rows(judged, [run[i] for i in (3, 0, 4, 2, 1)], 1, "here", [])
    assert mixed.documents == found.documents and np.array_equal(mixed.labels().values, found.labels().values)


def test_few_relevant_candidates_are_told_and_none_are_refused() -> None:
    judged = lines(*[("q", str(i), 1) for i in range(5)])
    notes: list[str] = []
    ranked_rows(judged, lines(("q", "1", 2.0), ("q", "x", 1.0)), 1, "here", notes)
    assert notes[0].startswith("here: only 20.0% of the 5 relevant documents are candidates, a ceiling")
    with pytest.raises(DataError, match=r"none of the 5 relevant documents is a candidate\. Are the ids"):
        ranked_rows(judged, lines(("q", "x", 1.0)), 1, "here", [])
    with pytest.raises(DataError, match=r"no query has a relevant document. Try: a lower data.relevant_from"):
        ranked_rows(judged, lines(("q", "1", 1.0)), 2, "here", [])


def test_judgements_of_unknown_texts_are_counted_and_more_than_one_percent_are_refused() -> None:
    found = Collection({"q": "a query"}, {str(i): "text" for i in range(200)})
    good = [("q", str(i), 1.0) for i in range(199)]
    assert len(found.known(lines(*good, ("q", "lost", 1.0)), "qrels", "judgements")) == 199
    assert found.notes == [
        "qrels: 1 of 200 judgements name texts that do not exist (document 'lost'), and were left out"
    ]
    with pytest.raises(DataError, match=r"3 of 202 judgements name texts .*document 'lost', query 'p'.*the same ids"):
        found.known(lines(*good, ("q", "lost", 1.0), ("p", "1", 1.0), ("p", "2", 1.0)), "qrels", "judgements")


def test_a_text_is_held_once_and_ids_are_facts() -> None:
    ranked = ranked_rows(
        lines(("p", "b", 1), ("q", "b", 1)), lines(("p", "b", 2), ("q", "b", 1), ("q", "a", 3)), 1, "", []
    )
    split = raw_split(ranked, Collection({"p": "one", "q": "two"}, {"a": "first", "b": "second"}))
    assert split.read(np.arange(3)) == {"text": ["one", "two", "two"], "text_pair": ["second", "second", "first"]}
    assert split.facts(np.arange(3)) == {"_query": ["p", "q", "q"], "_document": ["b", "b", "a"]}
    assert len(split.table["text_pair"].chunk(0).dictionary) == 2
