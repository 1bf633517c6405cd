"""Which recorded runs a comparison is about: a sweep, run ids, key=value filters, or all of them.

    select(Path("outputs"), ["model=dsn,bert-tiny", "data=imdb"])

Only finished runs are compared; what is left out is listed with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from runner.config.keys import closest
from runner.errors import ConfigError
from runner.record.identity import recorded_settings
from runner.record.raw import read, read_run, records
from runner.record.validation import problem_of_record, problem_of_sweep


@dataclass(frozen=True)
class Run:
    """One record and the folder it lies in."""

    record: dict[str, Any]
    folder: Path

    @property
    def identity(self) -> str:
        return str(self.record["identity"])

    @property
    def seed(self) -> int:
        return int(self.record["config"]["seed"])

    @property
    def metrics(self) -> dict[str, float]:
        found: dict[str, float] = self.record["metrics"]
        return found

    @property
    def primary(self) -> str:
        """The headline metric of the run's data, for example test/accuracy."""
        return str(self.record["data"]["primary"])

    @property
    def positive(self) -> int:
        """The class that F1, precision and recall are of; class 1 in records that do not say."""
        names, name = self.record["data"].get("labels") or [], self.record["data"].get("positive")
        return names.index(name) if name in names else 1

    @property
    def positive_name(self) -> str | None:
        """The name of that class; None where there are no two."""
        names = self.record["data"].get("labels") or []
        return str(names[self.positive]) if len(names) == 2 else None

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The whole config, flat, with `compression` as the list of its stages; the positive class is that in use."""
        own = {"compression": stage_names(self.record), "data.positive": self.positive_name}
        return recorded_settings(self.record["config"]) | own

    def examples(self, split: str) -> str:
        """The fingerprint of what a split's predictions are about: its rows, else those of the whole data."""
        data = self.record["data"]
        return str((data.get("fingerprints") or {}).get(split) or data.get("fingerprint"))


@dataclass
class Selection:
    """The finished runs, the sweep they come from if there is one, and what was left out: (id, why)."""

    runs: list[Run]
    left_out: list[tuple[str, str]] = field(default_factory=list)
    sweep: dict[str, Any] | None = None


def stage_names(record: dict[str, Any]) -> list[str]:
    """The names of the compression stages, in order; none is an empty list."""
    return [name for name in record["config"].get("compression") or {} if name != "none"]


def select_runs(output: Path, words: list[str]) -> Selection:
    """The runs below `output` that the words name; ConfigError if there are none."""
    filters = [word for word in words if "=" in word]
    names = [word for word in words if "=" not in word]
    sweep, found = None, []
    if names:
        for name in names:
            chosen = find_sweep(output, name)
            sweep = chosen or sweep
            found += _of_sweep(output, chosen) if chosen else _by_identity(output, name)
    else:
        found = list(records(output))
        if not found:
            raise ConfigError(f"no recorded run in {output}. Make some: run demo")
    selection = select_records(found, output)
    selection.sweep = sweep
    if sweep:
        known = {str(record["identity"]) for record in found}
        selection.left_out += _missing(sweep, known)
    matching = selection.runs
    for word in filters:
        matching = _filtered(matching, word)
    if not matching:
        why = "; ".join(f"{name}: {reason}" for name, reason in selection.left_out[:3])
        raise ConfigError(f"none of the chosen runs in {output} is finished ({why}). Try: run compare, or run demo")
    selection.runs = matching
    return selection


def select_records(found: list[dict[str, Any]], output: Path) -> Selection:
    """Finished runs once each, oldest first; the others with why they are left out."""
    runs: dict[str, Run] = {}
    left_out: list[tuple[str, str]] = []
    for record in found:
        name = str(record.get("identity", "?"))
        if why := problem_of_record(record):
            left_out.append((name, f"its record.json is damaged: {why}"))
        elif record["status"] != "done":
            left_out.append((name, ": ".join(str(record[k]) for k in ("status", "reason") if record.get(k))))
        else:
            runs[name] = Run(record, output / name)
    return Selection(sorted(runs.values(), key=lambda run: str(run.record.get("started"))), left_out)


def find_sweep(output: Path, name: str) -> dict[str, Any] | None:
    """The newest recorded sweep of that name, or the one whose id starts so; None if there is none."""
    found = []
    for path in output.glob("sweeps/*/sweep.json"):
        sweep = read(path.parent, "sweep.json")
        if sweep and (sweep.get("name") == name or path.parent.name.startswith(name)):
            if why := problem_of_sweep(sweep):
                raise ConfigError(f"{path} is damaged: {why}. Mend it, or run that sweep again, which writes it anew")
            found.append(sweep)
    return max(found, key=lambda sweep: str(sweep.get("started")), default=None)


def _of_sweep(output: Path, sweep: dict[str, Any]) -> list[dict[str, Any]]:
    identities = [run["identity"] for run in sweep["runs"] if run.get("identity")]
    return [record for identity in dict.fromkeys(identities) if (record := read_run(output / identity))]


def _missing(sweep: dict[str, Any], known: set[str]) -> list[tuple[str, str]]:
    """The jobs of a sweep that left no record, with the reason the sweep knows."""
    return [
        (" ".join(run["overrides"]), f"{run['status']}: {run.get('reason') or 'no record'}")
        for run in sweep["runs"]
        if run.get("identity") not in known
    ]


def _by_identity(output: Path, prefix: str) -> list[dict[str, Any]]:
    folders = sorted(path.parent.name for path in output.glob("*/record.json"))
    if not folders:
        raise ConfigError(f"no recorded run in {output}. Make some: run demo")
    matching = [name for name in folders if name.startswith(prefix)]
    if len(matching) == 1 and (record := read_run(output / matching[0])):
        return [record]
    if matching:
        raise ConfigError(f"several runs in {output} start with {prefix!r}: {', '.join(matching[:8])}. Add a digit")
    sweeps = sorted(path.parent.name for path in output.glob("sweeps/*/sweep.json"))
    raise ConfigError(
        f"no sweep and no run in {output} is named {prefix!r}. "
        f"Sweeps: {', '.join(sweeps[-4:]) or 'none'}; runs: {', '.join(folders[-4:])}. Try: run compare model=dsn"
    )


def _filtered(runs: list[Run], word: str) -> list[Run]:
    """The runs that one key=value word matches; ConfigError, with what there is, if none does."""
    if not runs:
        return runs
    matches = setting_matcher(word, [run.settings for run in runs])
    matching = [run for run in runs if matches(run.settings)]
    if not matching:
        key = full_key(word.partition("=")[0], runs[0].settings)
        there = sorted({setting_text(run.settings.get(key)) for run in runs})
        raise ConfigError(
            f"no finished run has {word}; {key} is {', '.join(there[:8])} there. "
            f"Try: run compare {word.partition('=')[0]}={there[0]}"
        )
    return matching


def full_key(key: str, settings: dict[str, Any]) -> str:
    """`model` means model.name, as on the command line."""
    return f"{key}.name" if key not in settings and f"{key}.name" in settings else key


def setting_words(wanted: str | Mapping[str, Any]) -> list[str]:
    """Settings that name a group, typed or from a YAML, as key=value words: "model=dsn,seed=0" or {model: dsn}."""
    if isinstance(wanted, str):
        return [word for word in re.split(r"\s+|,(?=[\w.]+=)", wanted) if word]
    return [f"{key}={setting_text(value)}" for key, value in wanted.items()]


def setting_matcher(word: str, known: list[dict[str, Any]]) -> Callable[[dict[str, Any]], bool]:
    """A test of flat settings for key=value or key=value,value; ConfigError for a key that no settings have."""
    key, _, text = word.partition("=")
    keys = sorted({name for settings in known for key in settings for name in (key, key.removesuffix(".name"))})
    if not any(full_key(key, settings) in settings for settings in known):
        close = closest(key, keys)
        hint = f"; did you mean {' or '.join(close)}?" if close else "; every key: run --cfg job."
        raise ConfigError(
            f"{word}: no recorded run has the key {key}{hint} Try: run compare {(close or ['model'])[0]}=..."
        )
    wanted = [text] if text.startswith("[") else text.split(",")

    def matches(settings: dict[str, Any]) -> bool:
        full = full_key(key, settings)
        return full in settings and any(is_value(settings[full], value) for value in wanted)

    return matches


def is_value(value: Any, text: str) -> bool:
    """Is a config value what the text says? 1e-3 is 0.001, null is None, [int8] is the list of one."""
    if isinstance(value, list):
        return setting_text(value) in (text.replace(" ", ""), f"[{text}]") or (
            value == [] and text in ("none", "[none]")
        )
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return setting_text(value) == text
    try:
        return float(value) == float(text)
    except (TypeError, ValueError):
        return str(value) == text


def setting_text(value: Any) -> str:
    """A config value as one would type it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return f"[{','.join(setting_text(part) for part in value)}]"
    return str(value)
