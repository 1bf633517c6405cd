"""A pretraining named by the command that makes it: `model.pretrained="task=mlm model=bert-tiny data=imdb"`.

`model.init_from`, which may take a part of a model, can be such words too.

It is a run of its own, found if it is finished and made first if it is not, so that all seeds and data of a sweep start
from the same weights. It shares the folders of the command, and neither data nor seed.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from models.settings import is_command, pretrains_first
from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment.dependencies.inner_run import MakeRun, finish_run, inner_overrides
from runner.schema import Settings

SHARED = ("paths", "tracker", "device", "checkpoint")


def make_pretrained(settings: Settings, overrides: list[str], notify: Callable[[str], None], make_run: MakeRun) -> None:
    """Put the model folder of that run in the place of the command, and of a tokenizer that is not named.

    Raises ConfigError for a command with mistakes, and InnerRunUnfinished.
    """
    model = settings.model
    if not pretrains_first(model):
        return
    is_part = is_command(model.init_from)  # of that model, as model.carry says
    key, named = ("init_from", model.init_from) if is_part else ("pretrained", model.pretrained)
    words = pretraining_overrides(str(named), overrides)
    if problems := check_overrides(words):
        raise ConfigError("\n".join(f"model.{key}: {problem}" for problem in problems))
    notify("pretraining first: a run of its own")
    inner = resolve(compose(words), words=words)
    inner.train.threads = settings.train.threads  # a sweep has shared the cores out
    record = finish_run(make_run, inner, words)
    folder = str(Path(settings.paths.output).expanduser() / record.identity / "model")
    if is_part:
        model.init_from = folder
    else:
        model.pretrained = folder
    if model.tokenizer == "auto":
        model.tokenizer = folder


def pretraining_overrides(named: str, overrides: list[str]) -> list[str]:
    """The words of the command `named`, after those of the command that it is for which both share."""
    own = shlex.split(named)
    replaced = {word.partition("=")[0] for word in own}
    return [*inner_overrides(overrides, dropped=replaced, kept_groups=SHARED), *own]
