"""A finished run of a small model of spans, without training, and rows that are hard to lay out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from data.inputs.tokenizer import train_tokenizer
from models.heads.base import HeadSpec
from runner.deploy.export import export_run
from runner.record.record import RunRecord
from tests.runner.deploy.bundle.hard_texts import HARD
from tests.runner.deploy.runs import write_token_run

MAX_LENGTH = 24
LONG = " ".join(f"word{number % 7} of day {number}" for number in range(30))
CONTEXTS = ["It is in Ankara today.", LONG, f"  {LONG} \u00c9te\u0301 \U0001f600, e\u0301te\u0301", "", " ", *HARD]
QUESTIONS = ["where is it ?", "which day ?", "", f"who {LONG} ?"]
HARD_ROWS = [(question, context) for context in CONTEXTS for question in QUESTIONS]
COLUMNS = [question for question, _ in HARD_ROWS], [context for _, context in HARD_ROWS]


def write_span_run(output: Path, identity: str) -> RunRecord:
    """A run whose weights are drawn wide, so that answers differ; its record."""
    words = [
        "task=span", "data=files", "data.path=questions.json", "model=bert-tiny", "model.pretrained=null",
        f"data.max_length={MAX_LENGTH}", "tracker=none",
    ]  # fmt: skip
    tokenizer = train_tokenizer([*HARD, LONG, *QUESTIONS] * 3, 400)
    data = {"task": "span", "labels": ["start", "end"], "primary": "test/answer_f1"}
    return write_token_run(output / identity, words, HeadSpec("span", 2), tokenizer, data)


def bundle_of(record: RunRecord, run_folder: Path, form: str = "bundle") -> Path:
    """The folder of its bundle, or of another export with a reader."""
    return export_run(record, run_folder, form, int8=False, out=run_folder.parent / form)[0].folder


def answers_of(answers: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The text of each answer, and where it starts and ends; without the scores."""
    return [(one["prediction"], *((span["start"], span["end"]) for span in one["spans"])) for one in answers]
