"""A teacher named by the command that makes it: `compression.distil.teacher="model=bert-mini train.epochs=3"`.

It is a run of its own, found if it is finished and made first if it is not, so that a sweep of students shares one. Its
data, tokenizer and folders are those of the student's command, unless its own words say otherwise.
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
    """Put the identities of the teachers' runs in the place of the commands that make them.

    Raises ConfigError for a command with mistakes, and InnerRunUnfinished.
    """
    for name, stage in settings.compression.items():
        if not isinstance(stage, TaughtSettings) or "=" not in (stage.teacher or ""):
            continue
        words = teacher_overrides(str(stage.teacher), overrides)
        if problems := check_overrides(words):
            raise ConfigError("\n".join(f"compression.{name}.teacher: {problem}" for problem in problems))
        notify(f"the teacher of {name} first: a run of its own")
        teacher = resolve(compose(words), words=words)
        teacher.train.threads = settings.train.threads  # a sweep has shared the cores out
        stage.teacher = finish_run(make_run, teacher, words).identity


def teacher_overrides(named: str, overrides: list[str]) -> list[str]:
    """The words of the teacher's command, after those of the student's that it shares and does not replace."""
    own = shlex.split(named)
    replaced = {word.partition("=")[0] for word in own}
    return [*inner_overrides(overrides, dropped=replaced, kept_groups=SHARED), *own]
