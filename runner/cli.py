"""The command `run`: a module of runner/commands/ for each verb, one for experiments, and exit codes.

0 success, 1 a run failed, 2 the user's mistake (one message, no traceback), 130 interrupted.
Nothing heavy is imported here: help, lists and config mistakes answer in under a second.
"""

from __future__ import annotations

import difflib
import gc
import importlib
import io
import signal
import sys
from types import FrameType

from runner.errors import USER_ERRORS, refuse, unreadable
from runner.sanitize import say
from runner.track.errors import TrackError

HELP = """\
Bertier trains, compresses, measures and records small text encoders, one comparable run at a time.

  run model=dsn data=imdb                      one experiment
  run model=bert-tiny data=sst2 seed=1 train.epochs=3
  run data=files data.path=reviews.csv data.text=review data.label=stars
  run compression=[int8] from=<run id>         compress a finished run's model, without training it again
  run -m model=bert-tiny,dsn seed=0,1,2        every combination, side by side; given again: only what is missing
  run -m +sweep=model_sizes                    a named sweep; run list sweep shows them all
  run -m hydra/sweeper=optuna 'optimizer.lr=interval(1e-4,1e-1)' data=imdb     search with Optuna

Verbs
  run best ...      the best model for your data inside a size, a latency and some minutes, as a bundle
  run demo          train and compare two tiny encoders on the built-in data, offline
  run list [GROUP]  every choice of every group
  run show [ID]     the table of a recorded run (the newest without ID)
  run plan -m ...   what a sweep would do, and how long it would take
  run compare ...   recorded runs grouped over seeds: intervals, tests against a baseline, Pareto fronts, a report
  run diff A B      what differs between two runs: settings, metrics, and whether it could be chance
  run explain ID    where each setting of a run came from: file, sweep, command line or derived
  run export ID     the model as an ONNX graph (int8=true), as safetensors or for MLflow, compared with the original
  run predict ID .. predictions for a text, a CSV or JSONL file, or the lines of - (standard input)
  run serve ID      predictions over HTTP, on this machine only
  run push ID NAME  the model with its card to the Hugging Face hub, private
  run sync          mirror to MLflow the run folders that it does not have yet
  run ui            open MLflow on the recorded runs
  run doctor        versions, threads, matrix backend, hub and store
                    --determinism: does a repeated run give the same result?  --licences: of all packages

Hydra's flags work as ever: --cfg job, --info, -m, --hydra-help, shell completion (-sc).
"""

VERBS = (
    "demo", "list", "best", "plan", "show", "compare", "diff", "explain", "export", "predict", "serve", "push",
    "sync", "ui", "doctor",
)  # fmt: skip
# Hydra's own flags of which a command has one at most.
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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a character that the terminal cannot write must not end a run
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(dispatch(sys.argv[1:]))
    except KeyboardInterrupt:
        print("run: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # `run list | head`
        sys.stderr.close()
        sys.exit(141)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def dispatch(words: list[str]) -> int:
    """Print the help, or hand the words to the module of their verb, or to the one for experiments; the exit code."""
    if words and words[0] in ("-h", "--help"):
        print(HELP, end="")
        return 0
    from runner.config.compose import normalize_override  # late: the help does not wait for the config groups

    words = [normalize_override(word) for word in words]
    modes = [flag for flag, names in MODES.items() if any(word.split("=")[0] in names for word in words)]
    if len(modes) > 1:
        return refuse([f"{' and '.join(modes)} exclude each other. Try: run plan -m ..., or run --cfg job ..."])
    if words and "=" not in words[0] and not words[0].startswith(("-", "+", "~")):
        return run_verb(words[0], words[1:])
    gc.disable()  # imports make no garbage
    experiment = importlib.import_module("runner.commands.experiment")
    gc.enable()
    code: int = experiment.main(words)
    return code


def run_verb(name: str, words: list[str]) -> int:
    """Run one verb; the user's mistakes are printed as a message."""
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


if __name__ == "__main__":
    main()
