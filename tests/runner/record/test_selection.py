"""The best of several runs by the score on the selection rows."""

from __future__ import annotations

import math

from runner.record.record import RunRecord
from runner.record.selection import best_record
from tests.records import record_json


def scored(identity: str, score: float, name: str = "f1") -> RunRecord:
    """A finished run with a score on the selection rows."""
    content = record_json(identity=identity, metrics={f"val/{name}": score})
    return RunRecord.from_json(content | {"data": content["data"] | {"selection": f"val/{name}", "fingerprint": "f"}})


def test_the_best_of_equals_is_the_first_and_a_perplexity_is_better_lower() -> None:
    runs = [scored("aaaa", 0.4), scored("bbbb", 0.5), scored("cccc", 0.5)]
    assert best_record(runs) is runs[1]
    runs = [scored("aaaa", 0.4, "perplexity"), scored("bbbb", 0.5, "perplexity")]
    assert best_record(runs) is runs[0]
    assert best_record([*runs, scored("cccc", 0.5)]) is None, "of another score"


def test_a_score_that_is_not_a_number_is_never_the_best() -> None:
    none, some = scored("aaaa", math.nan), scored("bbbb", 0.5)
    assert best_record([none, some]) is some and best_record([some, none]) is some
    assert best_record([none]) is None
