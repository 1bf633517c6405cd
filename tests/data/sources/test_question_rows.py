"""Questions as they are read: where answers are, and everything that is refused or left out."""

from __future__ import annotations

from typing import Any

import pytest

from data.errors import DataError
from data.settings import DataSettings
from data.sources.question_rows import QuestionRows, find_columns

CONTEXT = "Ada Lovelace met Babbage in 1833. Ada wrote."


def row(text: str | None, start: int | None, number: int = 0, **more: object) -> dict[str, Any]:
    answers = [] if text is None else [{"text": text, "answer_start": start}]
    return {"id": f"q{number}", "question": f"Who {number}?", "context": CONTEXT, "answers": answers, **more}


def read(rows: list[dict[str, Any]], **settings: Any) -> QuestionRows:
    wanted = DataSettings(**{"text": "question", "text_pair": "context", "label": "answers", **settings})
    found = QuestionRows(wanted, "qa.json", find_columns(list(rows[0]), wanted, "qa.json", list))
    list(found.texts(enumerate(rows, 1)))
    return found


def test_answers_are_characters_of_the_context() -> None:
    found = read([row("Babbage", 17, 1), row(None, None, 2), row("wrote", 38, 3)])
    assert found.values.tolist() == [[17, 24], [-1, -1], [38, 43]]
    assert (found.golds, found.ids) == ([["Babbage"], [], ["wrote"]], ["q1", "q2", "q3"])
    assert found.unanswerable == 1 and not found.dropped()


def test_characters_are_code_points() -> None:
    context = "😀 caf\u0065\u0301 İstanbul"
    found = read([row("İstanbul", 8, 1, context=context)])
    start, end = found.values[0]
    assert context[start:end] == "İstanbul"


def test_white_space_around_an_answer_is_no_part_of_it_but_counts_in_its_start() -> None:
    found = read([row(" Babbage ", 16, 1), row("Babbage ", 17, 2), row("wrote.", 38, 3)])
    assert found.values.tolist() == [[17, 24], [17, 24], [38, 44]]


def test_an_answer_elsewhere_is_refused_with_both_texts() -> None:
    rows = [row("Babbage", 17, 1), row("Babbage", 18, 2), row("Charles", 17, 3), row("wrote", -1, 4)]
    with pytest.raises(DataError) as error:
        read(rows)
    assert str(error.value) == (
        "qa.json: 3 of 4 questions have an answer that is not at its answer_start. q2: expected 'Babbage' at 18, found "
        "'abbage '; q3: expected 'Charles' at 17, found 'Babbage'; q4: expected 'wrote' at -1, found ''; 2 occur "
        "elsewhere in their context. Try: data.bad_spans=drop, which uses the others"
    )
    found = read(rows, bad_spans="drop")
    assert found.ids == ["q1"] and found.dropped() == {"answer not at its answer_start": 3}


def test_a_row_with_one_wrong_answer_of_two_is_refused() -> None:
    both = {"text": ["Babbage", "Ada"], "answer_start": [17, 1]}
    with pytest.raises(DataError, match="expected 'Ada' at 1, found 'da '"):
        read([row(None, None, 1, answers=both), row("Ada", 0, 2)])


def test_starts_that_count_bytes_are_recognised() -> None:
    with pytest.raises(DataError, match="1 are right in bytes of UTF-8"):
        read([row("Ada", 6, 1, context="éé — Ada"), row("Ada", 9, 1, context="éé — Ada")][1:])
    with pytest.raises(DataError, match="1 are right in units of UTF-16, as JavaScript"):
        read([row("Ada", 3, 1, context="\U0001f600 Ada")])


def test_answers_without_a_start_need_a_way_to_find_them() -> None:
    rows = [row("Babbage", None, 1), row("Ada", None, 2), row("Byron", None, 3), row(None, None, 4)]
    with pytest.raises(DataError, match=r"3 of 4 .* without answer_start.* \(q1, q2, q3\). Try: data.find=unique"):
        read(rows)
    found = read(rows, find="unique")
    assert found.ids == ["q1", "q4"] and found.values[0].tolist() == [17, 24]
    assert found.dropped() == {"answer not in its context": 1, "answer more than once in its context": 1}


def test_flat_tables_have_one_answer_and_its_start_in_columns() -> None:
    flat = {"question": "Who?", "context": CONTEXT, "answer": "Babbage", "answer_start": "17"}
    found = read([flat, {**flat, "question": "When?", "answer": "", "answer_start": ""}])
    assert found.values.tolist() == [[17, 24], [-1, -1]] and found.ids == ["1", "2"]


def test_repeated_rows_are_kept_once_and_other_answers_count_as_right() -> None:
    found = read([row("Ada Lovelace", 0, 1), row("Ada Lovelace", 0, 1), row("Lovelace", 4, 1)])
    assert found.golds == [["Ada Lovelace", "Lovelace"]] and found.values.tolist() == [[0, 12]]
    assert found.dropped() == {"repeats a question": 1, "repeats a question with another answer": 1}


def test_an_id_of_two_questions_is_refused() -> None:
    with pytest.raises(DataError, match="questions that share an id: 1 \\('q1' in rows 1 and 2\\)"):
        read([row("Ada", 0, 1), row("Ada", 0, 1, question="Who else?")])
    with pytest.raises(DataError, match="with an answer and without one: 1 \\(rows 1 and 2, id 'q1'\\)"):
        read([row("Ada", 0, 1), row(None, None, 1)])


def test_a_column_that_names_hardly_any_question_is_no_id() -> None:
    found = read([row("Ada", 0, number, id=str(number % 5)) for number in range(200)])
    assert len(found.rows) == 200 and found.ids[6] == "7"
    assert found.notes == [
        "qa.json: the column 'id' has 5 values for 200 questions, so questions are named by their rows"
    ]


def test_rows_without_a_question_or_a_context_are_refused_or_dropped() -> None:
    rows = [row("Ada", 0, 1), row("Ada", 0, 2, question=" "), row("Ada", 0, 3, context=None)]
    with pytest.raises(DataError, match=r"2 rows have an empty or missing question or context \(rows 2, 3\)"):
        read(rows)
    assert read(rows, missing="drop").ids == ["q1"]
    grouped = [row("Ada", 0, 1, page="a"), row("Ada", 0, 2, page="")]
    with pytest.raises(DataError, match=r"1 row has an empty or missing question, context or page \(rows 2\)"):
        read(grouped, group="page")


def test_starts_that_are_all_wrong_are_refused_with_what_they_count() -> None:
    rows = [row("Ada", 3, number, context=f"éé Ada {number}", id=f"q{number}") for number in range(3)]
    assert len(read(rows).rows) == 3
    for one in rows:
        one["answers"][0]["answer_start"] = 5
    with pytest.raises(DataError, match=r"3 are right in bytes of UTF-8, but characters.*Correct each answer_start"):
        read(rows, bad_spans="drop")


def test_a_question_said_to_be_impossible_has_no_answer() -> None:
    assert read([row("Ada", 0, 1), row("Ada", 0, 2, is_impossible=True)]).golds == [["Ada"], []]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(DataError, match=r"data.text_pair='passage' is not in qa.json"):
        read([row("Ada", 0, 1)], text_pair="passage")
    with pytest.raises(
        DataError, match=r"qa.json has no column of answers \(columns: question, context\). Try: data.label="
    ):
        read([{"question": "Who?", "context": CONTEXT}])
