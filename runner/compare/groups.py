"""Runs that differ only in the seed form one group; groups are named by the settings that tell them apart.

Runs of the same config with other code, data, tokenizer or weights are never pooled: their fingerprints are part of
what makes a group.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from models.settings import FITTED
from runner.compare.select import Run, setting_text
from runner.record.identity import affects_identity

# Results depend on these, but no config holds them; they name groups only where nothing else tells two apart.
FINGERPRINTS = ("code_version", "data.fingerprint", "tokenizer.fingerprint", "weights.fingerprint")

OF_TRAINING = ("optimizer.", "schedule.", "train.")  # settings that mean nothing to a model without training steps

FILES = ("data.path", "data.train_path")  # they may name a group but not split one: a file may have been moved

matters = cache(affects_identity)  # the same hundred keys are asked about for every run


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


def settings_of(run: Run) -> dict[str, Any]:
    """Everything but the seed that the result of a run depends on, flat."""
    record = run.record
    prints = {
        "data.fingerprint": record.data.fingerprint,
        "tokenizer.fingerprint": record.tokenizer.fingerprint,
        "weights.fingerprint": record.weights.fingerprint,
    }
    if record.setting("model.tune.epochs"):
        del prints[
            "weights.fingerprint"
        ]  # an encoder that is finetuned first depends on the seed, like all that is trained later
    flat = record.settings
    kept = {key: value for key, value in flat.items() if key != "seed" and matters(key) and not _is_unused(key, flat)}
    return kept | {
        **{key: flat[key] for key in FILES if flat.get(key)},
        "data.positive": record.data.positive_name,
        "compression": record.compression,
        "code_version": record.environment.numbers,
        **{key: (found or "")[:8] for key, found in prints.items()},
    }


def _is_unused(key: str, settings: dict[str, Any]) -> bool:
    """Is it a setting of the training, of a model that is fitted without one?"""
    return settings.get("model.family") in FITTED and key.startswith(OF_TRAINING)


def make_groups(runs: list[Run]) -> list[Group]:
    """The groups of the runs, in order of first appearance, each with a unique name."""
    found: dict[str, Group] = {}
    for run in runs:
        settings = settings_of(run)
        own = {key: value for key, value in settings.items() if key not in FILES}
        found.setdefault(_text(own), Group(settings)).runs.append(run)
    groups = list(found.values())
    _name(groups)
    return groups


def varying_settings(groups: list[Group]) -> list[str]:
    """The settings that differ between groups, sorted."""
    keys = sorted({key for group in groups for key in group.settings})
    return [key for key in keys if len({_text(group.settings.get(key)) for group in groups}) > 1]


def explain_separate_groups(groups: list[Group]) -> list[str]:
    """One sentence for each set of groups that share a config but not code, data, tokenizer or weights."""
    by_config: dict[str, list[Group]] = {}
    for group in groups:
        config = {key: value for key, value in group.settings.items() if key not in (*FINGERPRINTS, *FILES)}
        by_config.setdefault(_text(config), []).append(group)
    sentences = []
    for same in by_config.values():
        if len(same) > 1:
            why = ", ".join(key for key in varying_settings(same))
            names = "; ".join(group.name for group in same)
            sentences.append(f"not pooled, since {why} differ although the settings are the same: {names}")
    return sentences


def _name(groups: list[Group]) -> None:
    """Name groups by the fewest settings that tell them apart: named choices first, then typed settings."""
    if len(groups) == 1:
        record = groups[0].runs[0].record
        groups[0].name = f"model={record.model} data={record.dataset}"
        return
    typed = {
        word.partition("=")[0].lstrip("+").replace("/", ".")
        for group in groups
        for word in group.runs[0].record.overrides
    }
    keys = sorted(varying_settings(groups), key=lambda key: (_rank(key, typed), key))
    parts: list[tuple[str, ...]] = [()] * len(groups)
    chosen: list[str] = []
    for key in keys:
        finer = [(*before, _text(group.settings.get(key))) for before, group in zip(parts, groups)]
        if len(set(finer)) > len(set(parts)):
            parts = finer
            chosen.append(key)
        if len(set(parts)) == len(groups):
            break
    for group in groups:
        told = [key for key in chosen if key in group.settings or not (key in FILES or _is_unused(key, group.settings))]
        group.name = " ".join(f"{key.removesuffix('.name')}={shown_setting(key, group.settings)}" for key in told)


def _rank(key: str, typed: set[str]) -> int:
    """Rank model, compression and data first, then typed settings, then all others; fingerprints come last."""
    if key in FINGERPRINTS:
        return 5
    if key in ("model.name", "compression", "data.name"):
        return ("model.name", "compression", "data.name").index(key)
    return 3 if key in typed or key.removesuffix(".name") in typed else 4


def shown_setting(key: str, settings: dict[str, Any]) -> str:
    """A setting as one would type it; "(absent)" where the group does not have it."""
    if key not in settings:
        return "(absent)"
    return "none" if key == "compression" and not settings[key] else setting_text(settings[key])


def _text(value: Any) -> str:
    return repr(sorted(value.items()) if isinstance(value, dict) else value)
