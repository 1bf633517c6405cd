"""A pretraining named by the command that makes it: `model.pretrained="task=mlm model=bert-tiny data=imdb"`.

`model.init_from`, which may take over part of a model, can be such a command too.

It is a separate run, found if finished, else made first, so that all seeds and data of a sweep start from the same
weights. It shares the folders of the command, and neither data nor seed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from models.settings import is_command, pretrains_first
from runner.experiment.dependencies.inner_run import MakeRun, finish_named_run, named_overrides
from runner.schema import Settings

SHARED = ("paths", "tracker", "device", "checkpoint")


def make_pretrained(settings: Settings, overrides: list[str], notify: Callable[[str], None], make_run: MakeRun) -> None:
    """Replace the command by the model folder of that run, which also stands for a tokenizer that is not named.

    Raises ConfigError for a command with mistakes, and InnerRunUnfinished.
    """
    model = settings.model
    if not pretrains_first(model):
        return
    is_part = is_command(model.init_from)  # of that model, as model.carry says
    key, named = ("init_from", model.init_from) if is_part else ("pretrained", model.pretrained)
    notify("pretraining first, as a separate run")
    words = named_overrides(str(named), overrides, SHARED)
    record = finish_named_run(f"model.{key}", words, settings, make_run)
    folder = str(Path(settings.paths.output).expanduser() / record.identity / "model")
    if is_part:
        model.init_from = folder
    else:
        model.pretrained = folder
    if model.tokenizer == "auto":
        model.tokenizer = folder
