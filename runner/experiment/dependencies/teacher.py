"""A teacher named by the command that makes it: `compression.distil.teacher="model=bert-mini train.epochs=3"`.

It is a separate run, found if finished, else made first, so that a sweep of students shares one. Its data, tokenizer
and folders are those of the student's command unless its own words override them. The masked-word model that varies
texts can be named in the same way: `compression.distil.augment.model="task=mlm model=bert-mini"`.
"""

from __future__ import annotations

from collections.abc import Callable

from models.compression.settings.learn import TaughtSettings
from models.settings import is_command
from runner.experiment.dependencies.inner_run import MakeRun, finish_named_run, named_overrides
from runner.schema import Settings

SHARED = ("data", "task", "paths", "tracker", "measure", "device", "checkpoint", "model.tokenizer", "model.vocab_size")


def make_teachers(settings: Settings, overrides: list[str], notify: Callable[[str], None], make_run: MakeRun) -> None:
    """Replace the commands that make teachers and masked-word models by the identities of their runs.

    Raises ConfigError for a command with mistakes, and InnerRunUnfinished.
    """

    def made(key: str, role: str, named: str | None) -> str | None:
        if named is None or not is_command(named):
            return named
        notify(f"{role} first, as a separate run")
        return finish_named_run(key, named_overrides(named, overrides, SHARED), settings, make_run).identity

    for name, stage in settings.compression.items():
        if isinstance(stage, TaughtSettings):
            key = f"compression.{name}"
            stage.teacher = made(f"{key}.teacher", f"the teacher of {name}", stage.teacher)
            model = stage.augment.model
            stage.augment.model = made(f"{key}.augment.model", f"the masked-word model of {name}", model)
