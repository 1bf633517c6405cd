"""Makes a run that another run needs first: its overrides, and the error if it does not finish.

The function that makes runs is passed in, so that nothing here imports runner/experiment/run.py.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection

from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment.outcome import Outcome
from runner.record.record import RunRecord
from runner.schema import Settings

MakeRun = Callable[[Settings, list[str]], Outcome]


class InnerRunUnfinished(Exception):
    """A run that is needed first did not finish, so the run that needs it cannot begin."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


def finish_run(make_run: MakeRun, settings: Settings, overrides: list[str]) -> RunRecord:
    """Return the record of that run: found if it is finished, made first if it is not; raises InnerRunUnfinished."""
    outcome = make_run(settings, overrides)
    if outcome.record is None or outcome.record.status != "done":
        raise InnerRunUnfinished(outcome)
    return outcome.record


def finish_named_run(key: str, words: list[str], settings: Settings, make_run: MakeRun) -> RunRecord:
    """Return the record of the run that a setting names by its overrides; settings: of the run that needs it.

    Raises ConfigError for overrides with mistakes, and InnerRunUnfinished.
    """
    if problems := check_overrides(words, allow_unread=True):
        raise ConfigError("\n".join(f"{key}: {problem}" for problem in problems))
    inner = resolve(compose(words), words=words)
    inner.train.threads = settings.train.threads  # in a sweep, the cores are divided already
    return finish_run(make_run, inner, words)


def named_overrides(named: str, overrides: list[str], shared: Collection[str]) -> list[str]:
    """Return the words of the command `named`, after those of the outer command in the groups that both share."""
    own = shlex.split(named)
    replaced = {word.partition("=")[0] for word in own}
    return [*inner_overrides(overrides, dropped=replaced, kept_groups=shared), *own]


def inner_overrides(
    overrides: list[str],
    *,
    dropped: Collection[str] = (),
    dropped_groups: Collection[str] = (),
    kept_groups: Collection[str] | None = None,
) -> list[str]:
    """Return the overrides that an inner run shares with the command that needs it, in their order.

    dropped: keys that it does not share; dropped_groups: keys that it does not share, with everything below them;
    kept_groups: if given, nothing but these keys and what is below them is shared.
    """

    def is_shared(word: str) -> bool:
        key = word.partition("=")[0]
        if key in dropped or _is_in(key, dropped_groups):
            return False
        return kept_groups is None or _is_in(key, kept_groups)

    return [*filter(is_shared, overrides)]


def _is_in(key: str, groups: Collection[str]) -> bool:
    return any(key == group or key.startswith(f"{group}.") for group in groups)
