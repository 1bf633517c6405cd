"""Selects the recorded runs of a comparison: a sweep, run ids, key=value filters, or all runs.

    select_runs(Path("outputs"), ["model=dsn,bert-tiny", "data=imdb"])

Only finished runs are compared; all others are listed with the reason why they are left out.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from data.json_types import Json, JsonObject
from runner.config.keys import closest
from runner.errors import ConfigError
from runner.record.added_metrics import read_added
from runner.record.answer_cache import AnswerCache
from runner.record.folder import LATEST, RECORD, find_record, no_recorded_run, read_records
from runner.record.record import RunRecord
from runner.record.run_names import ABSENT, OF_A_RUN, setting_text
from runner.record.status import status_and_reason
from runner.record.sweep_record import SweepRecord, find_sweep, sweep_folders, sweeps_named

Settings = Mapping[str, Json]  # flat: values by their dotted keys


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run: its record, and the folder with its predictions and logged points."""

    record: RunRecord
    folder: Path
    cache: AnswerCache | None = field(default=None, repr=False)  # cache of all runs' answers

    @property
    def identity(self) -> str:
        """The identity of the run, which is the name of its folder."""
        return self.record.identity

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return self.record.seed

    @cached_property
    def metrics(self) -> dict[str, float]:
        """The final metrics, and those measured after the run; a comparison adds `time/steps_to_target` to them."""
        return self.record.metrics | read_added(self.folder, self.record.started)

    @property
    def primary(self) -> str:
        """The headline metric of the run's data, for example test/accuracy."""
        return self.record.data.primary

    @cached_property
    def settings(self) -> JsonObject:
        """The whole config, flat, with `compression` as the list of its stages and the positive class in use."""
        own = {"compression": self.record.compression, "data.positive": self.record.data.positive_name}
        return self.record.settings | own


@dataclass
class Selection:
    """The finished runs, their sweep if there is one, and (id, reason) of each run that was left out."""

    runs: list[Run]
    left_out: list[tuple[str, str]] = field(default_factory=list)
    sweep: SweepRecord | None = None
    cache: AnswerCache | None = None  # of the runs' answers
    notes: list[str] = field(default_factory=list)


def select_runs(output: Path, words: list[str]) -> Selection:
    """Return the runs in `output` that match the words; raise ConfigError if there are none."""
    filters = [word for word in words if "=" in word]
    names = [word for word in words if "=" not in word]
    sweep, identities = None, list[str]()
    for name in names:
        chosen = find_sweep(output, name)
        sweep = chosen or sweep
        identities += chosen.identities if chosen else [_identity_of(output, name)]
    if not names:
        identities = _run_identities(output)
    records, damaged = read_records(output / identity for identity in dict.fromkeys(identities))
    selection = select_records(records, output)
    selection.left_out += [(name, f"its record.json is damaged: {why}") for name, why in damaged.items()]
    selection.sweep = sweep
    if sweep:
        selection.notes = _runs_of_others(output, sweep, identities)
        selection.left_out += _missing(sweep, {record.identity for record in records} | damaged.keys())
    matching = selection.runs
    for word in filters:
        matching = _filtered(matching, word)
    if not matching:
        why = "; ".join(f"{name}: {reason}" for name, reason in selection.left_out[:3])
        raise ConfigError(f"none of the selected runs in {output} is finished ({why}). Try: run compare, or run demo")
    selection.runs = matching
    return selection


def select_records(records: Iterable[RunRecord], output: Path) -> Selection:
    """Finished runs once each, oldest first; the others with why they are left out."""
    runs: dict[str, Run] = {}
    cache = AnswerCache(output)
    left_out: list[tuple[str, str]] = []
    for record in records:
        if record.status == "done":
            runs[record.identity] = Run(record, output / record.identity, cache)
        else:
            left_out.append((record.identity, status_and_reason(record)))
    return Selection(sorted(runs.values(), key=lambda run: run.record.started), left_out, cache=cache)


def _run_identities(output: Path) -> list[str]:
    """Return the identities of all recorded runs, sorted; raise ConfigError if there are none."""
    if found := sorted(path.parent.name for path in output.glob(f"*/{RECORD}")):
        return found
    raise no_recorded_run(output)


def _missing(sweep: SweepRecord, known: set[str]) -> list[tuple[str, str]]:
    """Return the jobs of a sweep without a record, with the reason that sweep.json gives."""
    return [
        (" ".join(run.overrides), f"{run.status}: {run.reason or 'no record'}")
        for run in sweep.runs
        if run.identity not in known
    ]


def _runs_of_others(output: Path, sweep: SweepRecord, chosen: Sequence[str]) -> list[str]:
    """Return a note on the finished runs of earlier sweeps with the name of this one, as where it was made in parts."""
    seen, more, parts = set(chosen), 0, [sweep.id]
    for other in reversed(sweeps_named(output, sweep.name) if sweep.name else []):
        records, _ = read_records(output / identity for identity in set(other.identities).difference(seen))
        done = {record.identity for record in records if record.status == "done"}
        if done:
            seen, more, parts = seen | done, more + len(done), [other.id, *parts]
    if not more:
        return []
    return [
        f"this is the newest sweep named {sweep.name}; earlier ones have {more} more finished run{'s' * (more > 1)}. "
        f"All together: run compare {' '.join(parts)}"
    ]


def _identity_of(output: Path, prefix: str) -> str:
    """Return the one recorded run whose identity starts with `prefix`.

    Raises ConfigError if there is none, or several.
    """
    if prefix == LATEST:
        return find_record(output, prefix).identity
    known = _run_identities(output)
    matching = [name for name in known if name.startswith(prefix)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise ConfigError(f"several runs in {output} start with {prefix!r}: {', '.join(matching[:8])}. Add a digit")
    sweeps = [folder.name for folder in sweep_folders(output)]
    raise ConfigError(
        f"no sweep and no run in {output} is named {prefix!r}. "
        f"Sweeps: {', '.join(sweeps[-4:]) or 'none'}; runs: {', '.join(known[-4:])}. Try: run compare model=dsn"
    )


def _filtered(runs: list[Run], word: str) -> list[Run]:
    """Return the runs that match one key=value word; ConfigError, listing the values there are, if none does."""
    if not runs:
        return runs
    matches = setting_matcher(word, [run.settings for run in runs])
    matching = [run for run in runs if matches(run.settings)]
    if not matching:
        key = full_key(word.partition("=")[0], runs[0].settings)
        there = sorted({setting_text(run.settings.get(key)) for run in runs})
        cure = shlex.quote(f"{word.partition('=')[0]}={there[0]}")
        raise ConfigError(
            f"no finished run has {word}; recorded values of {key}: {', '.join(there[:8])}. Try: run compare {cure}"
        )
    return matching


def full_key(key: str, settings: Settings) -> str:
    """Return the whole key: `model` means model.name, as on the command line."""
    return f"{key}.name" if key not in settings and f"{key}.name" in settings else key


def setting_words(wanted: str | Mapping[str, Json], known: Sequence[Settings] = ()) -> list[str]:
    """Split the settings that name a group into key=value words; wanted: "model=dsn,seed=0" or {model: dsn}.

    known: settings of runs. A value that one of them has is not split, such as the path "a, x=1.csv".
    """
    if not isinstance(wanted, str):
        return [f"{key}={setting_text(value)}" for key, value in wanted.items()]
    words, rest = list[str](), wanted.strip()
    while rest:
        cuts = [*(cut.span() for cut in re.finditer(r"(?:,\s*|\s+)(?=[\w.]+=)", rest)), (len(rest), len(rest))]
        end, start = next((cut for cut in reversed(cuts) if _is_recorded(rest[: cut[0]], known)), cuts[0])
        words, rest = [*words, rest[:end]], rest[start:]
    return [word for word in words if word]


def _is_recorded(word: str, known: Sequence[Settings]) -> bool:
    """Has one of these settings exactly the text after key= as its value?"""
    key, _, text = word.partition("=")
    values = (settings.get(full_key(key, settings)) for settings in known)
    return any(isinstance(value, str) and value == text for value in values)


def setting_matcher(word: str, known: Sequence[Settings], verb: str = "compare") -> Callable[[Settings], bool]:
    """Return a test of flat settings for key=value or key=value,value; ConfigError of the verb for an unknown key."""
    key, _, text = word.partition("=")
    if not any(full_key(key, settings) in settings for settings in known):
        keys = {name for settings in known for key in settings for name in (key, key.removesuffix(".name"))}
        close = closest(key, sorted(keys))
        hint = f"; did you mean {' or '.join(close)}?" if close else "; every key: run --cfg job."
        raise ConfigError(
            f"{word}: no recorded run has the key {key}{hint} Try: run {verb} {(close or ['model'])[0]}=..."
        )
    wanted = re.split(r",(?![^\[]*\])", text)  # not within a list: [none],[distil,int8]

    def matches(settings: Settings) -> bool:
        full = full_key(key, settings)
        if full not in settings:
            return ABSENT in wanted  # as in the name of a group
        found = settings[full]
        is_whole = isinstance(found, str) and setting_text(found) == text  # a file or a label with a comma in its name
        return is_whole or any(is_value(found, value) for value in wanted)

    return matches


def is_value(value: Json, text: str) -> bool:
    """Return whether a config value is what the text says: 1e-3 is 0.001, null is None, [int8] a list of one."""
    if isinstance(value, list):
        return setting_text(value) in (text.replace(" ", ""), f"[{text}]") or (
            value == [] and text in ("none", "[none]")
        )
    if isinstance(value, str) and (made := OF_A_RUN.fullmatch(value)) and made[1] == text:
        return True  # as names show the model of a run
    if isinstance(value, bool):
        return setting_text(value) == text.lower()  # Hydra reads True, too
    if not isinstance(value, int | float):
        return setting_text(value) == text
    try:
        return float(value) == float(text)
    except ValueError:
        return str(value) == text
