"""The contents of a record before the first step."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from runner.experiment.prepare import unlabelled_repeats
from runner.experiment.prepared import PreparedRun
from runner.machine.facts import machine_facts
from runner.version import NUMBERS, VERSION


def record_header(prepared: PreparedRun, overrides: list[str]) -> dict[str, Any]:
    """Everything that is known of a run before its first step, as its record has it."""
    settings, splits = prepared.settings, prepared.splits
    return {
        "identity": prepared.identity,
        "name": f"{settings.model.name} {settings.data.name} seed={settings.seed}",
        "config": asdict(settings),
        "overrides": overrides,
        "environment": machine_facts()
        | {
            "threads": settings.train.threads,
            "device": str(prepared.device),
            "code_version": VERSION,
            "numbers_version": NUMBERS,
            "engine": prepared.engine,
        },
        "data": data_facts(prepared),
        "tokenizer": {
            "source": splits.tokenizer.source,
            "vocab_size": splits.tokenizer.vocab_size,
            "fingerprint": splits.tokenizer.fingerprint,
        },
        "weights": {
            "source": prepared.weights.source,
            "fingerprint": prepared.weights.fingerprint,
            "loaded": len(prepared.weights.loaded),
            "new": prepared.weights.new if prepared.weights.source else "all",
            "ignored": prepared.weights.ignored,
        },
        "notes": prepared.notes,
    }


def data_facts(prepared: PreparedRun) -> dict[str, Any]:
    """The data of a run: source, splits, task, and the names of its headline metrics."""
    settings, splits = prepared.settings, prepared.splits
    task, parts = splits.task, [splits.train, splits.select, *splits.report]
    return {
        "name": settings.data.name,
        "source": settings.data.id or settings.data.path or settings.data.source,
        "fingerprint": splits.fingerprint,
        "fingerprints": splits.fingerprints,
        "rows": {part.name: len(part) for part in parts},
        "truncated": {part.name: part.truncated for part in parts},
        "lengths": {part.name: part.length_stats for part in parts},
        "dropped": splits.dropped,
        "duplicates": splits.duplicates | unlabelled_repeats(prepared.stage_inputs),
        "labels": list(task.label_names),
        "positive": task.label_names[task.positive] if task.num_labels == 2 else None,
        "task": task.kind,
        "primary": f"{splits.report[0].name}/{task.metrics[0]}",
        "selection": f"{splits.select.name}/{task.metrics[0]}",
    } | ({"targets": asdict(task.target_scale)} if task.target_scale else {})
