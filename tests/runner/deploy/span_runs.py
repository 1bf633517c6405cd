"""A finished run of a small model of spans, without training, and rows that are hard to lay out."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from data.inputs.tokenizer import train_tokenizer
from models.build import build
from models.checkpoints.save import save_model
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.deploy.export import export_run
from runner.record.folder import read_record
from runner.record.record import RunRecord
from tests.runner.deploy.bundle.hard_texts import HARD
from tests.runner.deploy.runs import SMALL, STARTED

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
    settings = resolve(compose(words))
    tokenizer = train_tokenizer(lambda: [*HARD, LONG, *QUESTIONS] * 3, 400)
    torch.manual_seed(1)
    made, _ = build(
        ModelSettings(**(SMALL | {"readout": {"name": "none"}})), head=HeadSpec("span", 2),
        vocab_size=tokenizer.vocab_size, pad_id=tokenizer.pad_id, tokens=tokenizer.tokens,
    )  # fmt: skip
    for parameter in made.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.1)
    labels, folder = ["start", "end"], output / identity
    save_model(made, folder / "model", tokenizer_save=tokenizer.save, label_names=labels, card="card")
    data = {"task": "span", "labels": labels, "rows": {}, "primary": "test/answer_f1"}
    content = {
        "schema_version": 1, "identity": identity, "status": "done", "name": "small spans seed=0", "started": STARTED,
        "overrides": words, "config": asdict(settings), "metrics": {}, "stages": [], "data": data,
    }  # fmt: skip
    (folder / "record.json").write_text(json.dumps(content, default=str), encoding="utf-8")
    record = read_record(folder)
    assert record is not None
    return record


def bundle_of(record: RunRecord, run_folder: Path, form: str = "bundle") -> Path:
    """The folder of its bundle, or of another export with a reader."""
    return export_run(record, run_folder, form, int8=False, out=run_folder.parent / form)[0].folder


def answers_of(answers: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The text of each answer, and where it starts and ends; without the scores."""
    return [(one["prediction"], *((span["start"], span["end"]) for span in one["spans"])) for one in answers]
