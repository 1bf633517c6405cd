"""A teacher named by the command that makes it: `compression.distil.teacher="model=bert-mini train.epochs=3"`.

It is a run of its own, found if it is finished and made first if it is not, so that a sweep of students shares one. Its
data, tokenizer and folders are those of the student's command, unless its own words say otherwise. The
masked-word model that varies texts may be named so too: `compression.distil.augment.model="task=mlm model=bert-mini"`.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable

from models.compression.settings.learn import TaughtSettings
from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment.dependencies.inner_run import MakeRun, finish_run, inner_overrides
from runner.schema import Settings

SHARED = ("data", "task", "paths", "tracker", "measure", "device", "checkpoint", "model.tokenizer", "model.vocab_size")


def make_teachers(settings: Settings, overrides: list[str], notify: Callable[[str], None], make_run: MakeRun) -> None:
    """Put identities of runs in the place of the commands that make teachers and masked-word models.

    Raises ConfigError for a command with mistakes, and InnerRunUnfinished.
    """
    threads = settings.train.threads  # a sweep has shared the cores out

    def made(key: str, role: str, named: str | None) -> str | None:
        if "=" not in (named or ""):
            return named
        words = teacher_overrides(str(named), overrides)
        if problems := check_overrides(words):
            raise ConfigError("\n".join(f"{key}: {problem}" for problem in problems))
        notify(f"{role} first: a run of its own")
        inner = resolve(compose(words), words=words)
        inner.train.threads = threads
        return finish_run(make_run, inner, words).identity

    for name, stage in settings.compression.items():
        if isinstance(stage, TaughtSettings):
            key = f"compression.{name}"
            stage.teacher = made(f"{key}.teacher", f"the teacher of {name}", stage.teacher)
            model = stage.augment.model
            stage.augment.model = made(f"{key}.augment.model", f"the masked-word model of {name}", model)


def teacher_overrides(named: str, overrides: list[str]) -> list[str]:
    """The words of the command `named`, after those of the student's that it shares and does not replace."""
    own = shlex.split(named)
    replaced = {word.partition("=")[0] for word in own}
    return [*inner_overrides(overrides, dropped=replaced, kept_groups=SHARED), *own]
