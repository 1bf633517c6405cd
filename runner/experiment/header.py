"""The record of a run before its first step."""

from __future__ import annotations

from dataclasses import asdict

from runner.experiment.prepare import unlabelled_repeats
from runner.experiment.prepared import PreparedRun
from runner.machine.facts import machine_facts
from runner.record.record import DataFacts, Environment, RunRecord, TokenizerFacts, WeightsFacts
from runner.statistics.score_table import OF_ONE_CLASS
from runner.version import NUMBERS, VERSION


def first_record(prepared: PreparedRun, overrides: list[str]) -> RunRecord:
    """Everything that is known of a run before its first step."""
    settings, tokenizer, weights = prepared.settings, prepared.splits.tokenizer, prepared.weights
    return RunRecord(
        identity=prepared.identity,
        name=f"{settings.model.name} {settings.data.name} seed={settings.seed}",
        config=asdict(settings),
        data=data_facts(prepared),
        overrides=overrides,
        environment=Environment(
            machine_facts(), settings.train.threads, str(prepared.device), VERSION, NUMBERS, prepared.engine
        ),
        tokenizer=TokenizerFacts(tokenizer.source, tokenizer.vocab_size, tokenizer.fingerprint),
        weights=WeightsFacts(
            weights.source,
            weights.fingerprint,
            loaded=len(weights.loaded),
            new=weights.new if weights.source else "all",
            ignored=weights.ignored,
        ),
        notes=prepared.notes,
    )


def data_facts(prepared: PreparedRun) -> DataFacts:
    """Return the data of a run: source, splits, task, and the names of its headline metrics."""
    settings, splits = prepared.settings, prepared.splits
    labels, task, parts = splits.task, prepared.task, [splits.train, splits.select, *splits.report]
    parts += [splits.apart] if splits.apart else []
    has_positive = not task.scores.keys().isdisjoint(OF_ONE_CLASS)
    return DataFacts(
        task=task.name,
        primary=f"{splits.report[0].name}/{task.metrics[0]}",
        rows={part.name: part.source_count for part in parts},
        selection=f"{splits.select.name}/{task.metrics[0]}",
        calibration=splits.apart.name if splits.apart else None,
        name=settings.data.name,
        source=settings.data.id or settings.data.path or settings.data.source,
        fingerprint=splits.fingerprint,
        fingerprints=splits.fingerprints,
        truncated={part.name: part.truncated for part in parts},
        lengths={part.name: part.length_stats for part in parts},
        dropped=splits.dropped,
        duplicates=splits.duplicates | unlabelled_repeats(prepared.stage_inputs),
        labels=list(labels.label_names),
        label_columns=list(labels.columns) if len(labels.columns) > 1 else [],
        has_empty=labels.has_empty,
        positive=labels.label_names[labels.positive] if has_positive and labels.num_labels == 2 else None,
        targets=asdict(labels.target_scale) if labels.target_scale else None,
    )
