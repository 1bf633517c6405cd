"""The command `run`: verbs, Hydra's grammar for everything else, and exit codes.

0 success, 1 a run failed, 2 the user's mistake (one message, no traceback), 130 interrupted.
Nothing heavy is imported here: help, lists and config mistakes answer in under a second.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import io
import signal
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from runner.experiment.run import Outcome

HELP = """\
Bertier trains, compresses, measures and records small text encoders, one comparable run at a time.

  run model=dsn data=imdb                      one experiment
  run model=bert-tiny data=sst2 seed=1 train.epochs=3
  run data=files data.path=reviews.csv data.text=review data.label=stars
  run compression=[int8] from=<run id>         compress a finished run's model, without training it again
  run -m model=bert-tiny,dsn seed=0,1,2        every combination, side by side; again: what is missing
  run -m +sweep=model_sizes                    a sweep that has a name; run list sweep
  run -m hydra/sweeper=optuna 'optimizer.lr=interval(1e-4,1e-1)' data=imdb     search with Optuna

Verbs
  run demo          train and compare two tiny encoders on the built-in data, offline
  run list [GROUP]  every choice of every group
  run show [ID]     the table of a recorded run (the newest without ID)
  run plan -m ...   what a sweep would do, and how long it would take
  run compare ...   recorded runs grouped over seeds: intervals, tests against a baseline, fronts, a report
  run diff A B      what differs between two runs: settings, metrics, and whether it could be chance
  run explain ID    where each setting of a run came from: file, sweep, command line or derived
  run export ID     the model as an ONNX graph (int8=true), as safetensors or for MLflow, compared with the original
  run predict ID .. answers to a text, a CSV or JSONL file, or the lines of - (standard input)
  run serve ID      answers over HTTP, on this machine only
  run sync          mirror the run folders to MLflow that are not there yet
  run ui            open MLflow on the recorded runs
  run doctor        versions, threads, matrix backend, hub and store
                    --determinism: is a run made again the same?  --licences: of all packages

Hydra's flags work as ever: --cfg job, --info, -m, --hydra-help, shell completion (-sc).
"""

VERBS = (
    "demo",
    "list",
    "plan",
    "show",
    "compare",
    "diff",
    "explain",
    "export",
    "predict",
    "serve",
    "sync",
    "ui",
    "doctor",
)
# Hydra's own flags of which a command has one at most.
MODES = {
    "-m": ("-m", "--multirun"),
    "--run": ("-r", "--run"),
    "--cfg": ("-c", "--cfg"),
    "--info": ("-i", "--info"),
    "-sc": ("-sc", "--shell-completion"),
}
# Hydra's flags that are followed by a value.
VALUED = {
    "-c", "--cfg", "-p", "--package", "-cp", "--config-path", "-cn", "--config-name", "-cd", "--config-dir",
}  # fmt: skip
outcomes: list[Outcome] = []


def main() -> None:
    """The console script `run`; always ends through sys.exit."""
    from runner.config.compose import normalize_override
    from runner.config.from_run import expand
    from runner.errors import ConfigError, refuse, unreadable

    signal.signal(signal.SIGTERM, _interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what the terminal cannot write must not end a run
            stream.reconfigure(errors="backslashreplace")
    try:
        words = sys.argv[1:] = expand([normalize_override(word) for word in sys.argv[1:]])
    except ConfigError as error:
        sys.exit(refuse(str(error).splitlines()))
    except OSError as error:
        sys.exit(refuse(unreadable(error)))
    try:
        sys.exit(_dispatch(words))
    except KeyboardInterrupt:
        print("run: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `run list | head`
        sys.stderr.close()
        sys.exit(141)


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _dispatch(words: list[str]) -> int:
    from runner.errors import refuse

    modes = [flag for flag, names in MODES.items() if any(word.split("=")[0] in names for word in words)]
    if len(modes) > 1:
        return refuse([f"{' and '.join(modes)} exclude each other. Try: run plan -m ..., or run --cfg job ..."])
    if words and words[0] in ("-h", "--help"):
        print(HELP, end="")
        return 0
    if words and "=" not in words[0] and words[0][0] not in "-+~":
        return _verb(words[0], words[1:])
    if any(
        word.startswith(("-sc", "--shell-completion", "--hydra-help", "--info", "-i", "--version")) for word in words
    ):
        return _hydra()
    return _experiments(words)


def _verb(name: str, words: list[str]) -> int:
    from runner.errors import USER_ERRORS, refuse, unreadable
    from runner.sanitize import say
    from runner.track.errors import TrackError

    if name not in VERBS:
        close = difflib.get_close_matches(name, VERBS, n=1, cutoff=0.5)
        hint = f"; did you mean `run {close[0]}`?" if close else ""
        return refuse([f"no verb {name!r}{hint} Verbs: {', '.join(VERBS)}. Settings are written key=value."])
    try:
        code: int = importlib.import_module(f"runner.commands.{name}").main(words)
    except USER_ERRORS as error:
        return refuse(str(error).splitlines())
    except TrackError as error:
        say(f"run {name}: {error}", sys.stderr)
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:
        return refuse(unreadable(error))
    return code


def _experiments(words: list[str]) -> int:
    """Check the whole command, then let Hydra compose and start each run."""
    from runner.config.check import check_overrides
    from runner.errors import ConfigError, refuse, unreadable
    from runner.sweep.install import returned

    flags = [word for word in words if word.startswith("-")]
    multirun = any(flag in ("-m", "--multirun") for flag in flags)
    spoken = [word.startswith("-") or before in VALUED for before, word in zip(["", *words], words)]
    options, overrides = ([word for word, is_one in zip(words, spoken) if is_one is wanted] for wanted in (True, False))
    try:
        problems = check_overrides(overrides, multirun)
    except ConfigError as error:
        problems = str(error).splitlines()
    except OSError as error:
        problems = unreadable(error)
    if problems:
        return refuse(problems)
    sys.argv[1:] = [*options, *overrides]  # Hydra takes overrides from one place only, before a flag or after it
    if multirun:
        from runner.config.deferral import deferred

        sys.argv[1:] = deferred(sys.argv[1:])
    code = _hydra()
    worst = max((outcome.exit_code for outcome in [*outcomes, *returned()]), default=code)
    return min(worst, 1) if multirun and worst != 130 else worst


def _hydra() -> int:
    import hydra

    from runner.sanitize import MaskedStream
    from runner.sweep.install import install_plugins

    install_plugins()
    # Without this Hydra derives the job's name from the script that started it.
    sys.argv[0] = "run"
    shows = any(word.startswith(("-c", "--cfg", "-i", "--info")) for word in sys.argv[1:])
    with contextlib.redirect_stdout(MaskedStream(sys.stdout)) if shows else contextlib.nullcontext():
        hydra.main(version_base="1.3", config_path="pkg://conf", config_name="config")(_job)()
    return 0


def _job(config: DictConfig) -> Outcome:
    """One composed config, run to its end here or on another machine; what went wrong is in the outcome."""
    from hydra.core.hydra_config import HydraConfig

    from runner.errors import USER_ERRORS, refuse, unreadable
    from runner.experiment import context as surroundings
    from runner.experiment.run import Outcome, run
    from runner.machine.child_process import work_in
    from runner.tune.trial_pruning import trial_watch

    hydra = HydraConfig.get()
    try:
        from runner.config.resolve import resolve

        work_in(hydra.runtime.cwd)
        settings = resolve(config, surroundings.here.jobs)
        outcome = run(settings, list(hydra.overrides.task), trial_watch(hydra.sweeper))
    except USER_ERRORS as error:
        refuse(str(error).splitlines())
        outcome = Outcome(exit_code=2, reason=str(error))
    except OSError as error:  # before the run folder was there; later ones are in its record
        refuse(unreadable(error))
        outcome = Outcome(exit_code=2, reason=str(error))
    outcomes.append(outcome)
    if outcome.exit_code == 130:
        raise KeyboardInterrupt
    return outcome


if __name__ == "__main__":
    main()
