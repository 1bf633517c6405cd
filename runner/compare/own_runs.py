"""Finds the runs that others build on, one for each seed: a student's teacher of its own seed, say.

The id of such a run is a setting, so the runs differ in more than the seed. They are repeats of one recipe all the same
if those they build on are: equal except for the seed, which is that of the run itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from data.json_types import JsonObject
from runner.compare.select import Run
from runner.record.folder import read_record
from runner.record.record import RunRecord
from runner.record.run_names import settings_of

START = ("model.pretrained", "model.init_from", "finished")  # settings that name a run whose weights a run begins with
# Settings that differ with them: the fingerprint of the weights, and the tokenizer's folder, whose content has its own.
OF_START = ("weights.fingerprint", "model.tokenizer")
TEACHER = re.compile(r"compression\.\w+\.teacher")
RUN = re.compile(r"[0-9a-f]{10}")


def recipes_of(runs: Sequence[Run]) -> dict[str, JsonObject]:
    """Return the recipes of the runs that these runs build on: all but the seed, flat, by the setting that names them.

    {} if a run builds on one of another seed, or they build on different recipes.
    """
    known = dict[Path, RunRecord | None]()
    first, *others = [_recipes(run, known) for run in runs]
    return first if all(other == first for other in others) else {}


def shares_a_teacher(runs: Sequence[Run]) -> bool:
    """Did one teacher teach several of these runs?"""
    taught = [item for run in runs for item in run.record.settings.items() if item[1] and TEACHER.fullmatch(item[0])]
    return any(taught.count(item) > 1 for item in taught)  # two stages of one run may have the same teacher


def _recipes(run: Run, known: dict[Path, RunRecord | None]) -> dict[str, JsonObject]:
    """Return the recipe of each run that one run builds on, by setting; {} if one has another seed or no record.

    known: records that were read already, by folder; new ones are added.
    """
    found = dict[str, JsonObject]()
    for key, value in run.record.settings.items():
        if not isinstance(value, str) or not (key in START or TEACHER.fullmatch(key)):
            continue
        if name := next((part for part in reversed(Path(value).parts) if RUN.fullmatch(part)), None):
            folder = run.folder.parent / name
            if folder not in known:
                known[folder] = read_record(folder)
            other = known[folder]
            if other is None or other.seed != run.seed:
                return {}
            found[key] = settings_of(other)
    return found
