"""A chain without its last stage is a run of its own: found if it is finished, made first if it is not.

So `compression=[magnitude,int8]` is one stage on the run of `compression=[magnitude]`, and that one on the plain
training. All chains of a sweep that begin alike share what they have in common, the model after each stage has an id
that `from=`, `export` and `predict` take, and an interrupted chain repeats no finished stage.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runner.machine import exclusive as turns

if TYPE_CHECKING:
    from runner.experiment.prepare import Started
    from runner.experiment.progress import Terminal
    from runner.experiment.run import Outcome
    from runner.tune.trial_pruning import Watch


def run_prefix(started: Started, overrides: list[str], terminal: Terminal, watch: Watch | None) -> Outcome | None:
    """Put its folder into `started.before`; answers the outcome of a prefix that did not finish."""
    from runner.experiment.run import run
    from runner.experiment.stages import plan

    settings = started.settings
    links = plan(settings)
    if len(links) == 1:
        return None
    *names, last = settings.compression
    terminal.say(f"before {last}: {', '.join(link.name for link in links[:-1])}, a run of its own")
    shorter = replace(settings, compression={name: settings.compression[name] for name in names}, force=False)
    turns.leave()  # that run joins and leaves by itself
    outcome = run(shorter, words(overrides, names, last), watch)
    if outcome.record is None or outcome.record["status"] != "done":
        return outcome
    turns.join(Path(settings.paths.cache))
    started.before = started.folder.parent / str(outcome.record["identity"])
    return None


def words(overrides: list[str], names: list[str], last: str) -> list[str]:
    """The overrides that make the prefix by itself, for its record."""
    foreign = {"compression", "force", "resume", f"compression.{last}", *(() if names else ("density",))}

    def is_shared(word: str) -> bool:
        key = word.partition("=")[0]
        return key not in foreign and not key.startswith(f"compression.{last}.")

    return [*filter(is_shared, overrides), *([f"compression=[{','.join(names)}]"] if names else [])]
