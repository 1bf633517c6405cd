"""Runs that differ only in the seed form one group; groups are named by the settings that tell them apart.

Runs of the same config with other code, data, tokenizer or weights are never pooled: their fingerprints are part of
what makes a group.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from runner.compare.select import Run
from runner.record.run_names import FILES, FINGERPRINTS, distinguish, settings_of, value_key, varying


@dataclass
class Group:
    """The runs of one config, one for each seed. `settings` is flat and holds the fingerprints too, but no seed."""

    settings: dict[str, Any]
    runs: list[Run] = field(default_factory=list)
    name: str = ""

    @property
    def seeds(self) -> dict[int, Run]:
        """The run of each seed, in the order of the seeds."""
        return {run.seed: run for run in sorted(self.runs, key=lambda run: run.seed)}

    def values(self, metric: str) -> list[float]:
        """The metric of each run that has it, in the order of the seeds."""
        return [float(run.metrics[metric]) for run in self.seeds.values() if metric in run.metrics]

    def mean(self, metric: str) -> float | None:
        """The mean over the seeds, None where no run has the metric."""
        values = self.values(metric)
        return sum(values) / len(values) if values else None


def make_groups(runs: list[Run]) -> list[Group]:
    """The groups of the runs, in order of first appearance, each with a unique name."""
    found: dict[str, Group] = {}
    for run in runs:
        settings = settings_of(run.record)
        own = {key: value for key, value in settings.items() if key not in FILES}
        found.setdefault(value_key(own), Group(settings)).runs.append(run)
    groups = list(found.values())
    commands = [group.runs[0].record.overrides for group in groups]
    for group, name in zip(groups, distinguish([group.settings for group in groups], commands)):
        group.name = name
    return groups


def varying_settings(groups: list[Group]) -> list[str]:
    """The settings that differ between groups, sorted."""
    return varying([group.settings for group in groups])


def explain_separate_groups(groups: list[Group]) -> list[str]:
    """One sentence for each set of groups that share a config but not code, data, tokenizer or weights."""
    by_config: dict[str, list[Group]] = {}
    for group in groups:
        config = {key: value for key, value in group.settings.items() if key not in (*FINGERPRINTS, *FILES)}
        by_config.setdefault(value_key(config), []).append(group)
    sentences = []
    for same in by_config.values():
        if len(same) > 1:
            why = ", ".join(key for key in varying_settings(same))
            names = "; ".join(group.name for group in same)
            sentences.append(f"not pooled, since {why} differ although the settings are the same: {names}")
    return sentences
