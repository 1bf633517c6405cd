"""`run key=value ...` and `run -m ...`: check the whole command, then let Hydra compose and start each run."""

from __future__ import annotations

import contextlib
import difflib
import io
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from runner.config.check import check_overrides
from runner.config.compose import given_words
from runner.config.deferral import defer_values
from runner.config.from_run import expand_from
from runner.config.keys import did_you_mean
from runner.config.plugins import register_sweeps
from runner.config.quotes import add_quotes
from runner.config.resolve import resolve
from runner.errors import CLOSED_PIPE, USER_ERRORS, ConfigError, refuse, unreadable
from runner.experiment.context import RunContext
from runner.experiment.outcome import Outcome
from runner.experiment.start import start_run
from runner.machine.child_process import enter_folder
from runner.machine.collector import paused_collector
from runner.sanitize import mask
from runner.sweep.job_function import JobFunction
from runner.tune.trial_pruning import trial_watch

if TYPE_CHECKING:
    from omegaconf import DictConfig

INTERRUPTED = 130
MULTIRUN = ("-m", "--multirun")
# Hydra's flags that print something and start no run: their commands are not checked.
INFORMATION = ("-sc", "--shell-completion", "--hydra-help", "--info", "-i", "--version")
# Hydra's flags that are followed by a value.
VALUED = {
    "-c", "--cfg", "-p", "--package", "-cp", "--config-path", "-cn", "--config-name", "-cd", "--config-dir",
}  # fmt: skip
# Hydra's remaining flags; runner/cli.py has handled --config-dir and --config-path before.
FLAGS = {
    "-h", "--help", "--hydra-help", "--version", "--resolve", "-r", "--run", "-m", "--multirun", "-sc",
    "--shell-completion", "-i", "--info", "--experimental-rerun",
}  # fmt: skip


class ExperimentFunction(JobFunction):
    """The function that Hydra calls with each composed config; it runs one experiment to its end."""

    def __call__(self, config: DictConfig, context: RunContext | None = None) -> Outcome:
        """Run here or on another machine; a failure is recorded in the outcome. Raises KeyboardInterrupt.

        context: from a sweep's worker; a run by itself has none.
        """
        from hydra.core.hydra_config import HydraConfig

        hydra = HydraConfig.get()
        try:
            enter_folder(hydra.runtime.cwd)
            context = replace(context or RunContext(), watch=trial_watch(hydra.sweeper))
            words = given_words(hydra.overrides.task)
            outcome = start_run(resolve(config, context.jobs, words), words, context)
        except USER_ERRORS as error:
            refuse(str(error).splitlines())
            outcome = Outcome(exit_code=2, reason=str(error))
        except BrokenPipeError:  # Hydra would print a traceback
            outcome = Outcome(exit_code=CLOSED_PIPE)
        except OSError as error:  # before the run folder existed; later ones are in its record
            refuse(unreadable(error))
            outcome = Outcome(exit_code=2, reason=str(error))
        self.outcomes.append(outcome)
        if outcome.exit_code == INTERRUPTED:
            raise KeyboardInterrupt
        return outcome


def main(words: list[str]) -> int:
    """Start the runs that the words describe, or print what one of Hydra's own flags requests; return the exit code."""
    return start(words, ExperimentFunction())


def start(words: list[str], function: JobFunction) -> int:
    """Start the runs with a function that stores their outcomes and the result of a search; return the exit code."""
    try:
        words = expand_from(add_quotes(words))
    except ConfigError as error:
        return function.refuse(str(error).splitlines())
    except OSError as error:
        return function.refuse(unreadable(error))
    if any(word.startswith(INFORMATION) for word in words):
        return _call_hydra(words, function)
    flags, overrides = split_flags(words)
    if unknown := unknown_flags(flags):
        return function.refuse(unknown)
    is_multirun = any(flag in MULTIRUN for flag in flags)
    try:
        with paused_collector():
            problems = check_overrides(overrides, is_multirun)
    except ConfigError as error:
        problems = str(error).splitlines()
    except OSError as error:
        problems = unreadable(error)
    if problems:
        return function.refuse(problems)
    ordered = [*flags, *overrides]  # Hydra takes overrides from one place only, before a flag or after it
    code = _call_hydra(defer_values(ordered) if is_multirun else ordered, function)
    worst = max((outcome.exit_code for outcome in function.outcomes), default=code)
    return min(worst, 1) if is_multirun and worst != INTERRUPTED else worst


def unknown_flags(flags: list[str]) -> list[str]:
    """Return one line for each flag that neither Hydra nor Bertier has."""
    known = sorted(FLAGS | VALUED)
    found = []
    for flag in [flag.partition("=")[0] for flag in flags if flag.startswith("-")]:
        if flag not in known:
            close = difflib.get_close_matches(flag, known, n=1)
            cure = f"Try: run {close[0]} ..." if close else "The flags: run --hydra-help"
            found.append(f"no flag {flag}{did_you_mean(close) or '.'} {cure}")
    return found


def split_flags(words: list[str]) -> tuple[list[str], list[str]]:
    """Hydra's flags with the values that follow them, and the overrides; each in their order."""
    flags: list[str] = []
    overrides: list[str] = []
    before = ""
    for word in words:
        is_flag = word.startswith("-") or before in VALUED
        (flags if is_flag else overrides).append(word)
        before = word
    return flags, overrides


def _call_hydra(words: list[str], function: JobFunction) -> int:
    """Run Hydra's own command line with these words: it prints a config, or calls the function for each run."""
    if not any(word.startswith(("-", "hydra.mode")) for word in words):
        return _run_once(words, function)
    import hydra

    from runner.best.install import install_plugins  # late: a mistake is reported before rich and numpy are loaded

    install_plugins()
    register_sweeps(words)
    sys.argv[:] = ["run", *words]  # Hydra reads the words here, and derives the job's name from the first
    main = hydra.main(version_base="1.3", config_path="pkg://conf", config_name="config")(function)
    if not any(word.startswith(("-c", "--cfg", "-i", "--info")) for word in words):
        main()
        return 0
    shown = io.StringIO()
    try:
        with contextlib.redirect_stdout(shown):
            main()
    finally:  # printed here: Hydra would answer a closed pipe with a traceback
        print(mask(shown.getvalue()), end="")
    return 0


def _run_once(overrides: list[str], function: JobFunction) -> int:
    """Run one command without flags as Hydra does, but without composing the config once more to find its mode."""
    from hydra import initialize_config_module
    from hydra._internal.utils import run_and_report
    from hydra.core.global_hydra import GlobalHydra

    GlobalHydra.instance().clear()
    with initialize_config_module("conf", job_name="run", version_base="1.3"):
        hydra: Any = GlobalHydra.instance().hydra
        run_and_report(lambda: hydra.run("config", function, overrides))
    return 0
