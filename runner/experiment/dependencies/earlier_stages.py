"""Makes a chain without its last stage a run of its own: it is found if finished, else made first.

So `compression=[magnitude,int8]` is one stage on the run of `compression=[magnitude]`, and that one on the plain
training. All chains of a sweep share the stages that they begin with, the model after each stage has an id
that `from=`, `export` and `predict` take, and an interrupted chain repeats no finished stage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from runner.config.sized import ENCODERS, PRESET, reads_more_texts
from runner.experiment.dependencies.inner_run import MakeRun, finish_run, inner_overrides
from runner.experiment.dependencies.words_of_files import names_file
from runner.experiment.prepared import PreparedRun
from runner.experiment.stage_plan import stage_plan
from runner.schema import Settings


def run_earlier_stages(
    prepared: PreparedRun, overrides: list[str], notify: Callable[[str], None], make_run: MakeRun
) -> Path | None:
    """Return the folder of the finished run of all stages but the last; None for a run of one stage.

    Raises InnerRunUnfinished.
    """
    settings = prepared.settings
    stages = stage_plan(settings)
    if len(stages) == 1:
        return None
    notify(f"before {stages[-1].name}: {', '.join(stage.name for stage in stages[:-1])}, as a separate run")
    record = finish_run(make_run, earlier_settings(settings), earlier_overrides(settings, overrides))
    return prepared.folder.parent / record.identity


def earlier_settings(settings: Settings) -> Settings:
    """Return the settings of a run without its last stage."""
    return replace(settings, compression=dict([*settings.compression.items()][:-1]), force=False)


def earlier_overrides(settings: Settings, overrides: list[str]) -> list[str]:
    """Return the overrides that make a run without its last stage, for its record; settings: of the whole run."""
    *names, last = settings.compression
    earlier = earlier_settings(settings)
    keeps_share = any(stage.keeps_share for stage in earlier.compression.values())
    dropped = {"compression", "force", "resume", *(() if keeps_share else ("density",))}
    shared = inner_overrides(overrides, dropped=dropped, dropped_groups=[f"compression.{last}"])
    if reads_more_texts(settings) and not reads_more_texts(earlier) and settings.model.family in ENCODERS:
        shared = [*(word for word in shared if not word.startswith("train.recipe=")), f"train.recipe={PRESET}"]
    chosen = names or (["none"] if names_file(shared) else [])
    return [*shared, *([f"compression=[{','.join(chosen)}]"] if chosen else [])]
