"""Finished runs as the runner leaves them, without training: a real model folder and its record."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from data.inputs.tokenizer import PieceTokenizer, train_tokenizer
from data.sources.demo import generate_demo
from models.build import build
from models.checkpoints.save import save_model
from models.heads.base import HeadSpec
from models.packed.facts import Facts
from models.packed.pack import write_packed
from models.settings import ModelSettings
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.record.folder import read_record
from runner.record.record import RunRecord

SMALL: dict[str, Any] = {"layers": 2, "hidden": 32, "heads": 4, "intermediate": 48, "positions": 64}
LABELS = {"demo": ["negative", "positive"], "demo-pairs": ["entailment", "neutral", "contradiction"]}
STARTED = "2026-01-02T03:04:05.000Z"


def write_run(
    output: Path, identity: str, data: str = "demo", status: str = "done", is_packed: bool = False,
    cleaning: tuple[str, ...] = (), more: tuple[str, ...] = (), **model: Any,
) -> dict[str, Any]:  # fmt: skip
    """A run on built-in data whose weights are drawn wide, so that answers differ; its record.

    is_packed: with a model.bin; cleaning: steps before its tokenizer; more: further words of its command.
    """
    words = ["model=bert-tiny", f"data={data}", "data.demo_rows=240", "tracker=none", *more]
    settings, labels = resolve(compose(words)), LABELS[data]
    task = "sentiment" if data == "demo" else "entailment"
    rows = generate_demo(task, 200, seed=0)
    texts = [part for text, pair, _ in rows for part in (text, pair) if part]
    tokenizer = train_tokenizer(texts, 300).cleaned_by(cleaning)
    torch.manual_seed(0)
    made, _ = build(
        ModelSettings(**(SMALL | model)), head=HeadSpec(outputs=len(labels)), vocab_size=tokenizer.vocab_size,
        pad_id=tokenizer.pad_id, tokens=tokenizer.tokens,
    )  # fmt: skip
    for parameter in made.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.1)
    folder = output / identity
    save_model(made, folder / "model", tokenizer_save=tokenizer.save, label_names=labels, card="card")
    if is_packed:
        content = json.loads(tokenizer.backend.to_str())
        facts = Facts(
            tuple(labels), settings.data.max_length, data != "demo", content, cleaning, truncate=settings.data.truncate
        )
        write_packed(made, folder / "model", facts)
    record = {
        "schema_version": 1, "identity": identity, "status": status, "name": "small demo seed=0", "started": STARTED,
        "overrides": words, "config": asdict(settings), "metrics": {}, "stages": [],
        "data": {"task": "classification", "labels": labels, "rows": {}, "primary": "test/accuracy"},
    }  # fmt: skip
    (folder / "record.json").write_text(json.dumps(record, default=str), encoding="utf-8")
    return record


def write_token_run(
    folder: Path, words: list[str], head: HeadSpec, tokenizer: PieceTokenizer, data: dict[str, Any]
) -> RunRecord:
    """A run of a model that answers for tokens, whose weights are drawn wide; its record.

    folder: of the run, named by its identity; words: of its command; data: of its record.
    """
    settings = resolve(compose(words))
    torch.manual_seed(1)
    made, _ = build(
        ModelSettings(**(SMALL | {"layers": 1, "readout": {"name": "none"}})), head=head,
        vocab_size=tokenizer.vocab_size, pad_id=tokenizer.pad_id, tokens=tokenizer.tokens,
    )  # fmt: skip
    for parameter in made.parameters():
        parameter.data.add_(torch.randn_like(parameter) * 0.1)
    save_model(made, folder / "model", tokenizer_save=tokenizer.save, label_names=data["labels"], card="card")
    content = {
        "schema_version": 1, "identity": folder.name, "status": "done", "name": "small seed=0", "started": STARTED,
        "overrides": words, "config": asdict(settings), "metrics": {}, "stages": [], "data": data | {"rows": {}},
    }  # fmt: skip
    (folder / "record.json").write_text(json.dumps(content, default=str), encoding="utf-8")
    record = read_record(folder)
    assert record is not None
    return record
