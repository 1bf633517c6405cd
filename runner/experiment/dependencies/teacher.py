"""A teacher named by the command that makes it: `compression.distil.teacher="model=bert-mini train.epochs=3"`.

It is a run of its own, found if it is finished and made first if it is not, so that a sweep of students shares one. Its
data, tokenizer and folders are those of the student's command, unless its own words say otherwise.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from models.compression.settings.learn import TaughtSettings
from runner.errors import ConfigError
from runner.schema import Settings

if TYPE_CHECKING:
    from runner.experiment.progress import Terminal
    from runner.experiment.run import Outcome

SHARED = ("data", "task", "paths", "tracker", "measure", "device", "checkpoint", "model.tokenizer", "model.vocab_size")


def make_teachers(settings: Settings, overrides: list[str], terminal: Terminal) -> Outcome | None:
    """Put the ids of their runs in the place of such commands; answers the outcome of a run that did not finish."""
    from runner.config.check import check_overrides
    from runner.config.compose import compose
    from runner.config.resolve import resolve
    from runner.experiment.run import run

    for name, stage in settings.compression.items():
        if not isinstance(stage, TaughtSettings) or "=" not in (stage.teacher or ""):
            continue
        words = command(str(stage.teacher), overrides)
        if problems := check_overrides(words):
            raise ConfigError("\n".join(f"compression.{name}.teacher: {problem}" for problem in problems))
        terminal.say(f"the teacher of {name} first: a run of its own")
        teacher = resolve(compose(words))
        teacher.train.threads = settings.train.threads  # a sweep has shared the cores out
        outcome = run(teacher, words)
        if outcome.exit_code or outcome.record is None:
            return outcome
        stage.teacher = str(outcome.record["identity"])
    return None


def command(named: str, overrides: list[str]) -> list[str]:
    """The teacher's words, after those of the student's that it shares and does not replace."""
    own = shlex.split(named)
    replaced = {word.partition("=")[0] for word in own}

    def is_shared(word: str) -> bool:
        key = word.partition("=")[0]
        return key not in replaced and any(key == name or key.startswith(f"{name}.") for name in SHARED)

    return [*filter(is_shared, overrides), *own]
