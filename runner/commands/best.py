"""`run best ...`: the best model within a budget, found, compared and written as a bundle.

The command is short for `run -m hydra/sweeper=best hydra.sweeper.max_kb=... <other words>`, so every launcher of a
sweep runs its steps. Python calls `search`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from data.quoting import hydra_value
from runner.best.settings import BestSettings
from runner.best.tasks import check_named_task
from runner.best.types import Result
from runner.commands.experiment import ExperimentFunction, start
from runner.commands.help import show_usage
from runner.config.bare_words import no_setting
from runner.config.check_sound import column_of_sounds
from runner.config.check_values import check_field
from runner.config.compose import groups
from runner.errors import ConfigError

BUDGET = tuple(field.name for field in fields(BestSettings) if field.name != "plan_only")
PLAN = "--plan"
# Settings of data, task, paths and machine, which the user may set; the search decides all others.
SHARED = (
    "data", "task", "seed", "device", "paths", "tracker", "cache", "engine", "measure", "hydra", "train.threads",
    "train.eval_batch_size", "checkpoint.every_s", "sweep.memory_gb", "sweep.on_failure", "resume",
)  # fmt: skip


class SearchFailed(RuntimeError):
    """A search ended without a result; the reason has been printed."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the search ended with exit code {code}; what was wrong is printed above")
        self.code = code


def main(words: list[str]) -> int:
    """Search, print the result and return the exit code."""
    if not words:
        return show_usage("best")
    return _start(words)[0]


def search(words: Sequence[str]) -> Result:
    """Search and print as `run best` does with these words, and return the result.

    Raises ConfigError for a mistake in the words, or in the data and the budget, which the plan finds; SearchFailed
    where nothing was found.
    """
    code, found, problems = _start(list(words))
    if problems:
        raise ConfigError("\n".join(problems))
    if found is None:
        raise SearchFailed(code)
    return found


def _start(words: list[str]) -> tuple[int, Result | None, list[str]]:
    """Return the exit code, the result if there is one, and the user's mistakes, which have been printed."""
    function = ExperimentFunction()
    try:
        code = start(command_of(words), function)
    except SystemExit as end:  # how Hydra's command line ends
        code = end.code if isinstance(end.code, int) else 1
    found = function.found
    return code, found if isinstance(found, Result) else None, function.problems


def command_of(words: list[str]) -> list[str]:
    """Return the words of the command that `run best` is short for; raise ConfigError with all its mistakes."""
    own: dict[str, str] = {}
    others: list[str] = []
    problems: list[str] = []
    for word in words:
        key, equals, value = word.partition("=")
        if key in (*BUDGET, "max_ms") and equals:
            own[key] = value
        elif word == PLAN:
            own["plan_only"] = "true"
        elif problem := problem_of_word(word):
            problems.append(problem)
        else:
            others.append(word)
    problems += problems_of_budget(own)
    if not any(word.lstrip("+").startswith("data=") for word in words):  # a run would take the generated texts
        problems.append("run best: for which data? Try: data=files data.path=reviews.csv, or data=demo")
    problems += [] if problems else refused_sounds(others)
    if problems:
        raise ConfigError("\n".join(problems))
    check_named_task(others)  # before its conflicts with the default model, which is no candidate
    if "max_ms" in own:
        most = own.pop("max_ms")
        own["max_us"] = most if most == "null" else f"{1000 * float(most):g}"
    hydra = [f"hydra.sweeper.{key}={hydra_value(value)}" for key, value in own.items()]
    jobs = [f"sweep.jobs={own['jobs']}"] if "jobs" in own else []
    return ["-m", "hydra/sweeper=best", *hydra, *jobs, *others]


def refused_sounds(words: Sequence[str]) -> list[str]:
    """Return the message that refuses data of sounds; nothing for texts."""
    audio = column_of_sounds(words)
    if audio is None:
        return []
    cure = "Try: run -m model=tiny-sound,frames-lr,mfcc-cnn, then run compare"
    return [f"data.audio={audio}: run best compares models of texts, but these are sounds. {cure}"]


def problem_of_word(word: str) -> str | None:
    """Return the mistake in a word that is not part of the budget: a setting that the search decides, or an unknown
    word.
    """
    key, equals, _ = word.lstrip("+~").partition("=")
    group = key.split(".")[0].split("/")[0]
    if not equals:
        close = difflib.get_close_matches(word, [PLAN], n=1)
        if close:
            return f"{word!r} is not an option of `run best`; did you mean {close[0]}? Try: run best {close[0]}"
        return no_setting(word, "best", (*BUDGET, "max_ms"))
    if group in SHARED or key in SHARED:
        return None
    close = difflib.get_close_matches(key, [*BUDGET, "max_ms"], n=1)
    if close:
        return f"{key}: no such option; did you mean {close[0]}? Try: run best {close[0]}=..."
    if group in groups() or group in (
        "from",
        "density",
        "train",
        "checkpoint",
        "baseline",
        "sweep",
        "force",
        "finished",
    ):
        return (
            f"{word}: the search decides this. Leave it out; or train that model by itself: run {word} ..., "
            "and compare it: run compare"
        )
    return f"{key}: no such key. See: run best --help"


def problems_of_budget(own: dict[str, str]) -> Iterator[str]:
    """Yield one line for each mistake in the words of the budget, as they were typed."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    typed = {key: value for key, value in own.items() if key != "max_ms"}
    if "max_ms" in own:
        if "max_us" in own:
            yield "max_us and max_ms are the same cap. Try: one of them"
        typed["max_us"] = own["max_ms"]
    good: dict[str, Any] = {}
    for key, value in typed.items():
        shown = "max_ms" if key == "max_us" and "max_ms" in own else key
        if not value:
            yield f"{shown}= has no value. Leave it out, or try: {shown}={EXAMPLES.get(shown, '...')}"
            continue
        try:
            node = OmegaConf.merge(OmegaConf.structured(BestSettings), {key: None if value == "null" else value})
            good[key] = OmegaConf.select(node, key)
        except OmegaConfBaseException:
            yield f"{shown}={value}: expected a number. Try: {shown}={EXAMPLES.get(shown, '...')}"
            continue
        if problem := check_field(BestSettings, key, good[key], ""):
            yield f"{shown}={value}: {problem.partition(': ')[2].partition(' Try:')[0]} Try: {shown}={EXAMPLES[shown]}"
    if good.get("minutes") and good.get("steps"):
        yield "minutes and steps: a search ends by a clock or by its steps. Try: one of them"


EXAMPLES = {
    "max_kb": "1000", "max_us": "1000", "max_ms": "1", "minutes": "10", "steps": "12", "jobs": "2", "at_least": "0.9",
    "goal": "f1_macro", "prefer": "small", "unlabelled": "more.csv",
}  # fmt: skip
