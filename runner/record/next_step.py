"""The command to try once a run has finished: an answer to a text or a sound, for a language model a classifier."""

from __future__ import annotations

import shlex
from pathlib import Path

from runner.record.bounds import is_bound
from runner.record.record import RunRecord
from runner.tasks import find_task

OF_WORD_VECTORS = tuple(f"model.{key}=" for key in ("width", "dims", "norm", "positional"))  # settings of a DSN's table


def next_command(record: RunRecord, output: Path) -> str:
    """Return the command that uses the model of a finished run. output: the folder of run folders."""
    task = find_task(record.data.task)
    if is_bound(record):
        words = ["compare", same_data(record)]
    elif task is not None and not task.is_deployed:
        words = classifier_words(record)
    else:
        examples = task.examples if task else ("a text", "a second text")
        examples = ("sound.wav",) if record.setting("data.audio") else examples
        is_pair = bool(record.setting("data.text_pair"))
        words = ["predict", record.identity, *examples[: 1 + is_pair]]
    return " ".join(["run", *map(shlex.quote, words), *output_words(output)])


def classifier_words(record: RunRecord) -> list[str]:
    """Return the words of a run that trains a classifier on a language model, or on its word vectors alone.

    The settings of word vectors are repeated, since they are not read from the folder.
    """
    start = [f"model.pretrained={record.identity}"]
    if record.setting("model.family") == "dsn":
        own = [word for word in record.overrides if word.startswith(OF_WORD_VECTORS)]
        start = [*own, "model.init=slice", f"model.init_from={record.identity}"]
    return [f"model={record.model}", *start, "data=sst2"]


def same_data(record: RunRecord) -> str:
    """Return the filter that finds the runs on the same data: the path of a file, as all files are called `files`."""
    paths = {key: record.setting(f"data.{key}") for key in ("path", "train_path")}
    return next((f"data.{key}={path}" for key, path in paths.items() if path), f"data={record.dataset}")


def output_words(output: Path) -> list[str]:
    """Return paths.output=<folder> as it is typed, or nothing for ./outputs, the default."""
    if output.absolute() == Path("outputs").absolute():
        return []
    here = Path.cwd()
    return [shlex.quote(f"paths.output={output.relative_to(here) if output.is_relative_to(here) else output}")]
