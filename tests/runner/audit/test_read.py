"""Rows that a run refuses are left out, and the settings that do so are named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.settings import DataSettings
from data.stores.build_once import SharedCache
from runner.audit.read import read_leniently, sources_of
from tests.runner.audit.tables import rows_of, write_table


def lenient(tmp_path: Path, rows: list[tuple[str, str]], **more: str) -> tuple[int, dict[str, str]]:
    settings = DataSettings(source="files", path=str(write_table(tmp_path / "rows.csv", rows)), **more)  # type: ignore[arg-type]
    found, needed = read_leniently(settings, SharedCache(tmp_path / "cache"), "auto")
    return sum(len(split) for split in found.raw.splits.values()), needed


def test_whole_rows_need_no_settings(tmp_path: Path) -> None:
    assert lenient(tmp_path, rows_of(60)) == (60, {})


def test_rows_without_a_text_are_dropped(tmp_path: Path) -> None:
    assert lenient(tmp_path, [*rows_of(60), (" ", "good")]) == (60, {"missing": "drop"})
    assert lenient(tmp_path, [*rows_of(60), (" ", "good")], missing="drop") == (60, {})


def test_settings_that_an_error_advises_are_named(tmp_path: Path) -> None:
    path = tmp_path / "qa.jsonl"
    text = "Ada Lovelace met Babbage in London."
    answers = [{"text": ["Ada"], "answer_start": [place]} for place in (0, 0, 1)] + [{"text": ["London"]}]
    rows = [
        {"question": f"Who {number}?", "context": f"{text} {number}", "answers": answers[number % len(answers)]}
        for number in range(40)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    settings = DataSettings(
        source="files", path=str(path), text="question", text_pair="context", label="answers", task="span"
    )
    found, needed = read_leniently(settings, SharedCache(tmp_path / "cache"), "auto")
    assert needed == {"bad_spans": "drop", "find": "unique"}
    assert sum(len(split) for split in found.raw.splits.values()) == 30
    target = found.raw.target
    names, counts, unit = target.tally(found.raw.splits["train"].labels)
    assert (names, counts.tolist(), unit) == (("an answer",), [len(found.raw.splits["train"])], "questions")
    assert target.in_words(found.raw.splits["train"].labels.take(np.array([0]))).startswith("an answer at ")


def test_other_mistakes_keep_their_message(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.label='class' is not in rows\.csv"):
        lenient(tmp_path, rows_of(60), label="class")


def test_built_in_data_have_no_sources() -> None:
    assert sources_of(DataSettings()) == ()


def test_shares_too_small_for_every_class_are_enlarged_and_named(tmp_path: Path) -> None:
    rows = [(f"text {number} of {number % 30}", f"class {number % 30}") for number in range(120)]
    found, needed = lenient(tmp_path, rows)
    assert found == 120 and needed and set(needed) <= {"test_fraction", "select_fraction"}
    settings = DataSettings(source="files", path=str(tmp_path / "rows.csv"), **{k: float(v) for k, v in needed.items()})  # type: ignore[arg-type]
    assert read_leniently(settings, SharedCache(tmp_path / "cache"), "auto")[1] == {}
    with pytest.raises(DataError, match="training rows to cut off"):
        lenient(tmp_path, [(f"text {number}", f"class {number % 30}") for number in range(60)])


def test_columns_that_the_first_row_of_a_file_leaves_out_are_listed(tmp_path: Path) -> None:
    rows: list[dict[str, str]] = [{"text": "one"}, {"text": "two", "label": "a", "id": "7"}]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    (source,) = sources_of(DataSettings(source="files", path=str(path)))
    assert source.columns == {"text": "text", "label": "label"} and source.unused == ("id",)


def test_labels_in_columns_of_their_own_are_listed_as_used(tmp_path: Path) -> None:
    path = write_table(tmp_path / "rows.csv", [("one", "1", "0", "x")], ("text", "joy", "fear", "label"))
    (source,) = sources_of(DataSettings(source="files", path=str(path), labels=["joy", "fear"]))
    assert source.columns == {"text": "text", "labels[0]": "joy", "labels[1]": "fear"} and source.unused == ("label",)


def test_rows_without_a_gold_label_need_one_setting_or_none(tmp_path: Path) -> None:
    train, test = rows_of(60), [*rows_of(70)[60:], ("a text without a label", "-1")]
    settings = DataSettings(
        source="files", train_path=str(write_table(tmp_path / "train.csv", train)),
        test_path=str(write_table(tmp_path / "test.csv", test)),
    )  # fmt: skip
    cache = SharedCache(tmp_path / "cache")
    assert read_leniently(settings, cache, "auto")[1] == {"unlabelled": "drop"}
    assert read_leniently(replace(settings, unlabelled="drop"), cache, "auto")[1] == {}
