"""`run plan <the words of a sweep>`: which runs are done, failed and new, and how long the rest would take.

Nothing is run and nothing is written.
"""

from __future__ import annotations

from collections import Counter

from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode

from data.counted import counted
from runner.config.check import check_overrides
from runner.config.compose import given_words
from runner.config.deferral import defer_values
from runner.config.from_run import expand_from
from runner.config.plugins import register_sweeps
from runner.config.quotes import add_quotes
from runner.errors import ConfigError, refuse
from runner.machine.facts import usable_cores
from runner.record.run_names import common
from runner.sanitize import say
from runner.sweep.claim_keys import unknown_keys
from runner.sweep.install import install_plugins
from runner.sweep.launcher import Grid, file_overrides, slots_for, sweep_settings
from runner.sweep.ledger import sweep_identity
from runner.sweep.other_data import on_other_data
from runner.sweep.plan import Job, check_starts, expected_seconds, plan_jobs, remaining_seconds
from runner.sweep.settings import SweepSettings
from runner.sweep.table import duration_text, score_text

SHOWN = 40  # jobs listed one by one


def main(words: list[str]) -> int:
    """Print the plan of the command `run <words>`; 0, or 2 if that command could not run."""
    overrides = [word for word in expand_from(add_quotes(words)) if word not in ("-m", "--multirun")]
    flags = [word for word in overrides if word.startswith("-")]
    if flags:
        raise ConfigError(f"run plan: {flags[0]} is not a setting. Try: run plan -m model=dsn seed=0,1,2")
    problems = check_overrides(overrides, multirun=True)
    if problems:
        return refuse(problems)
    jobs, sweep, slots = examine_sweep(overrides)
    check_starts(jobs)
    mistakes = list(dict.fromkeys(problem for job in jobs for problem in (job.problem or "").splitlines()))
    if mistakes:
        return refuse(mistakes)
    adapted = on_other_data(sweep, overrides)
    show_plan(jobs, adapted, slots)
    for line in unknown_keys(adapted.claims, jobs):
        say(f"note: {line}")
    return 0


def examine_sweep(overrides: list[str]) -> tuple[list[Job], SweepSettings, int]:
    """Return the jobs of a sweep's command, its `sweep` node, and how many would run at a time."""
    install_plugins()
    register_sweeps(overrides)
    GlobalHydra.instance().clear()
    with initialize_config_module("conf", version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", defer_values(overrides), run_mode=RunMode.MULTIRUN)
        batch = Grid.expand([*file_overrides(master), *given_words(master.hydra.overrides.task)], loader)
        sweep = sweep_settings(master)
        slots = slots_for(sweep, len(batch), master.device)
        jobs = plan_jobs(
            batch, lambda job: loader.load_sweep_config(master, job), usable_cores(), min(slots, usable_cores())
        )
    return jobs, sweep, slots


def show_plan(jobs: list[Job], sweep: SweepSettings, slots: int) -> None:
    """Print one line per job, the counts, and the estimate."""
    count = counted(len(jobs), "run") + (f", {slots} at a time" if len(jobs) > 1 else "")
    say(f"sweep {sweep.name or sweep_identity([job.overrides for job in jobs])}, {count}")
    if sweep.question:
        say(sweep.question)
    if sweep.price:
        say(f"price: {sweep.price}")
    shared = common([job.words for job in jobs])
    if shared:
        say(f"all with: {' '.join(shared)}")
    finished = [job for job in jobs if job.status == "done"]
    for job in jobs[:SHOWN]:
        seconds = job.seconds if job.status == "done" else expected_seconds(job, finished)
        took = "" if seconds is None else f"{'' if job.status == 'done' else 'about '}{duration_text(seconds)}"
        own = " ".join(word for word in job.words if word not in shared)
        say(f"  {job.status:<8} {job.identity or '':<10}  {own}  {score_text(job)}{took}  {job.reason or ''}".rstrip())
    if len(jobs) > SHOWN:
        say(f"  ... and {len(jobs) - SHOWN} more")
    counts = Counter(job.status for job in jobs)
    say(", ".join(f"{count} {status}" for status, count in counts.items()))
    todo = [job for job in jobs if job.status != "done"]
    seconds = remaining_seconds(todo, finished, slots)
    if not todo:
        say("nothing to do")
    elif seconds is None:
        say("no comparable run is done: no estimate")
    else:
        say(f"about {duration_text(seconds)} for the rest, estimated from finished runs")
