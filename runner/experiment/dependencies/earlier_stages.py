"""Makes a chain without its last stage a run of its own: it is found if finished, else made first.

So `compression=[magnitude,int8]` is one stage on the run of `compression=[magnitude]`, and that one on the plain
training. All chains of a sweep share the stages that they begin with, the model after each stage has an id
that `from=`, `export` and `predict` take, and an interrupted chain repeats no finished stage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from runner.experiment.dependencies.inner_run import MakeRun, finish_run, inner_overrides
from runner.experiment.prepared import PreparedRun
from runner.experiment.stage_plan import stage_plan


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
    names, last = list(settings.compression)[:-1], stages[-1].name
    notify(f"before {last}: {', '.join(stage.name for stage in stages[:-1])}, as a separate run")
    shorter = replace(settings, compression={name: settings.compression[name] for name in names}, force=False)
    keeps_share = any(stage.keeps_share for stage in shorter.compression.values())
    record = finish_run(make_run, shorter, earlier_overrides(overrides, names, last, keeps_share=keeps_share))
    return prepared.folder.parent / record.identity


def earlier_overrides(overrides: list[str], names: list[str], last: str, *, keeps_share: bool) -> list[str]:
    """Return the overrides that make the run of the stages `names`, without the stage `last`, for its record.

    keeps_share: does one of them keep a given share of the weights?
    """
    dropped = {"compression", "force", "resume", *(() if keeps_share else ("density",))}
    shared = inner_overrides(overrides, dropped=dropped, dropped_groups=[f"compression.{last}"])
    return [*shared, *([f"compression=[{','.join(names)}]"] if names else [])]
