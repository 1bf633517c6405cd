"""The queries that a ranking answers worst."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from runner.mistakes.answered import Answered
from runner.mistakes.plain import plain_page
from runner.mistakes.rankings import analyse_rankings
from runner.statistics.answers import Answers


def answered() -> Answered:
    columns = {
        "label": np.array([0, 1, 0, 1, 1, 0]), "prediction": np.array([0.1, 0.9, 0.2, 0.1, 0.0, 0.5]),
        "relevant": np.array([0, 1, 0, 1, 1, 0], bool), "retrieved": np.array([1, 1, 1, 1, 0, 1], bool),
    }  # fmt: skip
    record: Any = SimpleNamespace(
        data=SimpleNamespace(primary="test/mrr@10"),
        overrides=[],
        compression=[],
        model="dsn",
        dataset="x",
        seed=0,
        setting=lambda key: None,
    )
    return Answered(record, "test", Answers(columns, np.array([0, 2, 4, 6])), None, None)


def test_the_worst_query_leads_with_its_documents() -> None:
    texts = np.array(["good b", "good a", "other", "right", "lost", "bad"])
    split = SimpleNamespace(
        read=lambda rows: {"text": [f"query of {row}" for row in rows], "text_pair": texts[rows].tolist()}
    )
    run_data: Any = SimpleNamespace(rows=SimpleNamespace(raw=SimpleNamespace(splits={"test": split})))
    found = analyse_rankings(answered(), run_data)
    lines = [dict(zip(found.columns, line)) for line in found.lines]
    assert [line["score"] for line in lines] == [0, 0.5, 1]
    assert [line["first relevant"] for line in lines] == ["none", 2, 1] and lines[0]["candidates"] == 1
    assert [line["first document"] for line in lines] == ["bad", "other", "good a"]
    assert [line["relevant document"] for line in lines] == ["lost", "right", "good a"]
    assert found.sentences == [
        "Mean mrr@10 0.5 over 3 queries: 1 have 0, 33.3% more than 0.5.",
        "Of the 3 worst, 1 have no relevant document among their candidates.",
    ]
    page = plain_page(found, "0123456789")
    assert "query of 5" in page and "ranked first" in page


def test_without_texts_queries_have_numbers() -> None:
    found = analyse_rankings(answered(), None)
    assert [line[2] for line in found.lines] == ["query 3", "query 2", "query 1"]
