"""The command to try once a run has finished: an answer to a text or a sound, for a language model a classifier."""

from __future__ import annotations

import shlex
from pathlib import Path

from runner.record.bounds import is_bound
from runner.record.record import RunRecord
from runner.tasks import find_task


def next_command(record: RunRecord, output: Path) -> str:
    """Return the command that uses the model of a finished run. output: the folder of run folders."""
    task = find_task(record.data.task)
    if is_bound(record):
        words = ["compare", same_data(record)]
    elif task is not None and not task.is_deployed:
        words = [f"model={record.model}", f"model.pretrained={record.identity}", "data=sst2"]
    else:
        examples = task.examples if task else ("a text", "a second text")
        examples = ("sound.wav",) if record.setting("data.audio") else examples
        is_pair = bool(record.setting("data.text_pair"))
        words = ["predict", record.identity, *examples[: 1 + is_pair]]
    return " ".join(["run", *map(shlex.quote, words), *output_words(output)])


def same_data(record: RunRecord) -> str:
    """Return the filter that finds the runs on the same data: the file where there is one, as all files are `files`."""
    paths = {key: record.setting(f"data.{key}") for key in ("path", "train_path")}
    return next((f"data.{key}={path}" for key, path in paths.items() if path), f"data={record.dataset}")


def output_words(output: Path) -> list[str]:
    """Return paths.output=<folder> as it is typed, or nothing for ./outputs, where commands look by themselves."""
    if output.absolute() == Path("outputs").absolute():
        return []
    here = Path.cwd()
    return [shlex.quote(f"paths.output={output.relative_to(here) if output.is_relative_to(here) else output}")]
