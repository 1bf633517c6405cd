"""The mistakes of a model whose answers are parts of a text."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from runner.mistakes.plain import plain_page
from runner.mistakes.spans import analyse_spans, outcomes_of
from runner.statistics.answers import Answers
from runner.statistics.span_scores import graded
from tests.runner.mistakes.cases import write_case

GOLDS = [["in Ankara"], ["Ada"], ["Bob"], [], ["Cem"], []]
TEXTS = ["Ankara now", "ada", "Eve", "Fay", "Cem", "x"]
MARGINS = np.array([-1.0, -2.0, -3.0, -4.0, 5.0, 5.0])


def test_answers_end_in_one_of_five_ways_and_the_worst_and_surest_come_first(tmp_path: Path) -> None:
    columns = graded(TEXTS, MARGINS, GOLDS, ["text"] * 6, 0.0)
    given = np.array([text if margin < 0 else "" for text, margin in zip(TEXTS, MARGINS)], object)
    label = np.array([golds[0] if golds else "" for golds in GOLDS], object)
    answers = Answers(columns | {"label": label, "prediction": given})
    case = write_case(tmp_path)
    record = dataclasses.replace(case.record, data=dataclasses.replace(case.record.data, task="span"))
    answered = dataclasses.replace(case, record=record, answers=answers, probabilities=None)
    assert answered.is_right.tolist() == [False, True, False, False, False, True]
    assert answered.in_words("prediction").tolist() == [text or "no answer" for text in given]
    counts = {name: int(is_in.sum()) for name, is_in in outcomes_of(answered)}
    assert counts == {
        "right": 2, "partly right": 1, "another part of the text": 1, "left unanswered although there is an answer": 1,
        "answered although there is no answer": 1,
    }  # fmt: skip
    found = analyse_spans(answered, None)
    assert found.lead == "4 of 6 questions of test are not answered fully correctly"
    assert [line[6:9] for line in found.lines] == [
        ("", "Cem", 0.0), ("Fay", "", 0.0), ("Eve", "Bob", 0.0), ("Ankara now", "in Ankara", 0.5),
    ]  # fmt: skip
    assert found.sentences[0] == "partly right: 1 of 6."
    html = plain_page(found, "0123456789")
    assert 'id="outcomes"' in html and "F1 0 to 0.25" in html
