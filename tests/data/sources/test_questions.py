"""Splits of questions from files and from the hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest

from data.errors import DataError
from data.settings import DataSettings
from data.sources import questions
from data.sources.questions import is_questions, read_questions
from data.sources.raw import RawData
from data.stores.build_once import SharedCache

CONTEXT = "Ada Lovelace met Babbage in 1833."
ROWS: list[dict[str, Any]] = [
    {"id": f"q{i}", "question": f"Who {i}?", "context": CONTEXT, "title": f"t{i // 2}", "answers": answers}
    for i, answers in enumerate(
        [{"text": ["Babbage"], "answer_start": [17]}, {"text": [], "answer_start": []}] * 2
    )
]  # fmt: skip
COLUMNS = {"text": "question", "text_pair": "context", "label": "answers", "task": "span"}


def read_file(tmp_path: Path, rows: list[dict[str, Any]], **settings: Any) -> RawData:
    path = tmp_path / "qa.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    wanted = DataSettings(source="files", path=str(path), **COLUMNS, **settings)
    return read_questions(wanted, SharedCache(tmp_path / "cache"))


def test_a_file_becomes_texts_facts_and_characters(tmp_path: Path) -> None:
    wrong = {**ROWS[0], "id": "x", "answers": {"text": ["Byron"], "answer_start": [0]}}
    found = read_file(tmp_path, [ROWS[0], wrong, ROWS[1]], bad_spans="drop", group="title")
    train, rows = found.splits["train"], np.arange(2)
    assert train.read(rows) == {"text": ["Who 0?", "Who 1?"], "text_pair": [CONTEXT] * 2}
    assert train.facts(rows) == {"_golds": [["Babbage"], []], "_question_id": ["q0", "q1"]}
    assert train.labels.values.tolist() == [[17, 24], [-1, -1]]
    assert train.source_rows.tolist() == [1, 3]
    groups = train.table["group"].take(train.rows).to_pylist()
    assert groups[0] == groups[1]
    assert found.dropped == {"train: answer not at its answer_start": 1}
    assert found.notes == [
        "questions without an answer: 1 of 2 in train; SQuAD 2.0's rules hold: an empty answer is right"
    ]


def test_only_training_rows_need_the_column_of_the_group(tmp_path: Path) -> None:
    test = tmp_path / "test.jsonl"
    test.write_text(json.dumps({key: value for key, value in ROWS[0].items() if key != "title"}), encoding="utf-8")
    found = read_file(tmp_path, ROWS, test_path=str(test), group="title")
    assert "group" in found.splits["train"].table.column_names and len(found.splits["test"]) == 1


def test_a_hub_dataset_is_read_with_its_other_splits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(questions, "offline_if_unreachable", list)
    monkeypatch.setattr(questions, "load_hub_split", lambda settings, split: datasets.Dataset.from_list(ROWS))
    wanted = DataSettings(source="hub", id="a/b", report_splits={"val": "validation"}, **COLUMNS)  # type: ignore[arg-type]
    found = read_questions(wanted, SharedCache(tmp_path))
    assert list(found.splits) == ["train", "val"]
    assert found.splits["val"].facts(np.array([2]))["_golds"] == [["Babbage"]]


def test_sets_without_any_answer_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none of its 2 questions has an answer.* Try: a file with answers"):
        read_file(tmp_path, [ROWS[1], ROWS[3]])
    test = tmp_path / "test.jsonl"
    test.write_text(json.dumps(ROWS[1]), encoding="utf-8")
    with pytest.raises(DataError, match=r"and `test` needs some. Try: leave data.test_path out"):
        read_file(tmp_path, ROWS, test_path=str(test))


def test_a_file_whose_questions_are_all_left_out_says_why(tmp_path: Path) -> None:
    rows = [row | {next(iter(COLUMNS.values())): ""} for row in ROWS]
    with pytest.raises(
        DataError, match=rf"can be used \({len(ROWS)}: missing question or context\). Try: another file"
    ):
        read_file(tmp_path, rows, missing="drop")


def test_generated_data_have_no_questions(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data=demo has no questions about a context. Try: data=squad"):
        read_questions(DataSettings(task="span"), SharedCache(tmp_path))


def test_the_task_or_the_target_asks_for_questions() -> None:
    assert is_questions(DataSettings(task="span"), "auto") and is_questions(DataSettings(), "span")
    assert not is_questions(DataSettings(), "auto")
