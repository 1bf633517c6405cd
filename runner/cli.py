"""The command `run`: a module of runner/commands/ for each verb, one for experiments, and exit codes.

0 success, 1 a run failed, 2 the user's mistake (one message, no traceback), 130 interrupted, 141 nobody reads the
output any more.
Nothing heavy is imported here: help, lists and config mistakes answer in under a second.
"""

from __future__ import annotations

import contextlib
import difflib
import gc
import importlib
import io
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

from runner.commands import help as help_verb
from runner.config.folders import take_config_folders
from runner.errors import CLOSED_PIPE, USER_ERRORS, ConfigError, refuse, unreadable
from runner.sanitize import say
from runner.track.errors import TrackError
from runner.version import VERSION

HELP = """\
Bertier trains, compresses, measures and compares small text encoders, and finds
the best one within a budget.

  run best data=files data.path=tickets.csv data.text=message data.label=topic
                                       the best model for your data, as a bundle
  run model=dsn data=imdb              one experiment
  run model=bert-tiny data=sst2 seed=1 train.epochs=3
  run 'compression=[int8]' from=ID     compress the model of a finished run
  run -m model=bert-tiny,dsn seed=0,1  every combination, in parallel; repeated,
                                       it runs only what is missing
  run -m +sweep=model_sizes            a named sweep; run list sweep shows all
  run -m hydra/sweeper=optuna 'optimizer.lr=interval(1e-4,1e-1)'
                                       search with Optuna

Verbs; more about each: run VERB --help
  run best ...      the best model for your data within limits on size,
                    latency and time
  run demo          train and compare two tiny encoders, offline
  run data data=... what a run would see before training: classes, leaks, ...
  run list [GROUP]  every choice of every group; run list runs: recorded runs
  run show [ID]     the table of a recorded run (the newest without ID)
  run plan -m ...   what a sweep would do, and how long it would take
  run compare ...   runs grouped over seeds: intervals, tests, fronts, a report
  run errors ID     where a run is wrong: classes, slices, rows, wrong labels
  run blimp ID      minimal pairs: what grammar a masked language model knows
  run probe ID      what an encoder's layers encode about a sentence
  run diff A B      what differs between two runs, and whether it is chance
  run explain ID    where each setting of a run came from
  run export ID     the model as a bundle, a web page, an ONNX graph, ...
  run predict ID .. predictions for a text, a file or standard input
  run serve ID      predictions over HTTP, on this machine only
  run zero-shot ID  labels for texts from an entailment model, without training
  run cascade ...   two runs as one model: the small one answers where it is
                    confident, the large one the rest
  run push ID NAME  upload the model with its card to the hub, private
  run sync          mirror to MLflow the runs that it does not have yet
  run ui            open MLflow on the recorded runs
  run doctor        versions, threads, hub and store; --determinism, --licences
  run help [VERB]   this text, or one verb
ID: a run's id, its first digits, latest, or a sweep's name (its best run).

Settings are written key=value: run model=dsn --help explains those of a model,
run --cfg job prints all. YAML files of your own: run --config-dir DIR data=NAME
reads DIR/data/NAME.yaml. Shell completion: eval "$(run -sc install=bash)", zsh
or fish. run --version; Hydra's own flags: run --hydra-help.
"""

VERBS = (
    "best", "demo", "data", "list", "show", "plan", "compare", "errors", "blimp", "probe", "diff", "explain",
    "export", "predict", "serve", "zero-shot", "cascade", "push", "sync", "ui", "doctor", "help",
)  # fmt: skip
ALIASES = {"zeroshot": "zero-shot"}
# First words after a verb that have a module of their own, so that the others do not wait for what it imports.
SUBVERBS: dict[tuple[str, ...], str] = {("list", "runs"): "list_runs"}
# Hydra's own flags that exclude each other.
MODES = {
    "-m": ("-m", "--multirun"),
    "--run": ("-r", "--run"),
    "--cfg": ("-c", "--cfg"),
    "--info": ("-i", "--info"),
    "-sc": ("-sc", "--shell-completion"),
}


def main() -> None:
    """The console script `run`; always ends through sys.exit."""
    signal.signal(signal.SIGTERM, _interrupt)
    open_closed_streams()
    # The threads of numpy's BLAS wait for one another: with another process busy, `run errors` took 18 s with two and 9
    # with one. A run sets its own number (runner/machine/threads.py).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a character that the terminal cannot write must not end a run
            stream.reconfigure(errors="backslashreplace")
    try:
        code = dispatch(sys.argv[1:])
        sys.stdout.flush()  # here, where an error has an exit code
    except KeyboardInterrupt:
        code = say_interrupted()
    except BrokenPipeError:  # `run list | head`
        code = CLOSED_PIPE
    except OSError as error:
        code = refuse(unreadable(error))
    except SystemExit as end:
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        code = CLOSED_PIPE  # rich turns the error into an exit
    except Exception as error:
        if not follows_interrupt(error):
            raise
        code = say_interrupted()
    try:
        sys.stdout.flush()
    except OSError:  # what it still holds is dropped: Python would try once more at its end, and set another exit code
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.exit(code)


def open_closed_streams() -> None:
    """Open nothing in place of a standard stream that the caller has closed, as `run ... >&-` does.

    The file that is opened next would get its number, and with it all that libraries print.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # it takes the lowest free number
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def say_interrupted() -> int:
    """Say that Ctrl-C ended the command, and return its exit code."""
    with contextlib.suppress(OSError):  # it ended the reader of a pipe too, as in `run ... 2>&1 | tee log`
        print("run: interrupted", file=sys.stderr)
    return 130


def follows_interrupt(error: BaseException | None) -> bool:
    """Was an error raised while Ctrl-C was handled? Hydra closes a file then that it may not have opened yet."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def dispatch(words: list[str]) -> int:
    """Print the help, or hand the words to the module of their verb, or to the one for experiments; the exit code."""
    if words[:1] in (["-sc"], ["--shell-completion"]) and len(words) > 1:
        return _imported("runner.commands.completion")(words[1:], VERBS)
    try:
        words = take_config_folders(words)
    except ConfigError as error:
        return refuse(str(error).splitlines())
    if words in (["-h"], ["--help"]):
        return help_verb.main([], HELP, VERBS)
    if "--version" in words and words[0] not in VERBS:
        print(f"bertier {VERSION}")
        return 0
    from runner.config.compose import normalize_override  # late: the help does not wait for the config groups

    words = [normalize_override(word) for word in words]
    modes = [flag for flag, names in MODES.items() if any(word.split("=")[0] in names for word in words)]
    if len(modes) > 1:
        return refuse([f"{' and '.join(modes)} exclude each other. Try: run plan -m ..., or run --cfg job ..."])
    if words and "=" not in words[0] and not words[0].startswith(("-", "+", "~")):
        return run_verb(words[0], words[1:])
    gc.disable()  # imports make no garbage
    main = _imported(f"runner.commands.{'settings_help' if help_verb.asks_for_help(words) else 'experiment'}")
    gc.enable()
    return main(words)


def run_verb(name: str, words: list[str]) -> int:
    """Run one verb, or print its text; the user's mistakes are printed as a message."""
    name = ALIASES.get(name, name)
    if name not in VERBS:
        close = difflib.get_close_matches(name, VERBS, n=1, cutoff=0.5)
        hint = f"; did you mean `run {close[0]}`?" if close else ""
        return refuse([f"no verb {name!r}{hint} Verbs: {', '.join(VERBS)}. Settings are written key=value."])
    if help_verb.asks_for_help(words):
        return help_verb.show_usage(name)
    try:
        if name == "help":
            return help_verb.main(words, HELP, VERBS)
        if own := SUBVERBS.get((name, *words[:1])):
            return _imported(f"runner.commands.{own}")(words[1:])
        return _imported(f"runner.commands.{name.replace('-', '_')}")(words)
    except USER_ERRORS as error:
        return refuse(str(error).splitlines())
    except TrackError as error:
        say(f"run {name}: {error}", sys.stderr)
        return 1


def _imported(module: str) -> Callable[..., int]:
    """Return the function `main` of a module, which is loaded only when it is needed."""
    main: Callable[..., int] = importlib.import_module(module).main
    return main


if __name__ == "__main__":
    main()
