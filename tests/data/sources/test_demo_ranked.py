"""The built-in collection: right documents, and the same for the same seed."""

from __future__ import annotations

from data.sources.demo_ranked import CANDIDATES, GOODS, demo_collection
from data.sources.word_overlap import overlap


def test_the_right_documents_name_the_shop_and_share_no_word() -> None:
    found, judgements, candidates = demo_collection(40, 0, "train")
    assert len(judgements) == len(candidates) == 40 * CANDIDATES and len(found.queries) == 40
    for line in judgements:
        query, document = found.queries[line.query], found.documents[line.document]
        wanted = next(goods for goods in GOODS if goods in query.split())
        assert line.value == float(wanted in document.split()) == float(overlap(query, document) > 0)
    assert demo_collection(40, 0, "train")[0].documents == found.documents
    assert demo_collection(40, 1, "train")[0].documents != found.documents
