"""Makes a run that another run needs first: its overrides, and the error if it does not finish.

The function that makes runs is passed in, so that nothing here imports runner/experiment/run.py.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Sequence

from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.quotes import add_quotes
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment.dependencies.words_of_files import words_of_files
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


def named_overrides(named: str, overrides: Sequence[str], shared: Collection[str]) -> list[str]:
    """Return the words of the command `named`, after those of the outer command in the groups that both share."""
    own = add_quotes(shlex.split(named))
    replaced = {word.partition("=")[0] for word in own}
    return [*shared_overrides(overrides, shared, dropped=replaced), *own]


def shared_overrides(overrides: Sequence[str], shared: Collection[str], *, dropped: Collection[str] = ()) -> list[str]:
    """Return the words for what a command sets in the groups that an inner run shares: its own, in their order, after
    those for what a file that it names sets there.

    shared: these groups, and single settings; dropped: keys that are not shared. A choice that is dropped, such as
    data, takes everything that a file says of that group with it.
    """
    of_files = [word for word in words_of_files(overrides, shared) if not _is_in(_key_of(word), dropped)]
    own = [word for word in overrides if _is_in(_key_of(word), shared) and _key_of(word) not in dropped]
    return [*of_files, *own]


def inner_overrides(
    overrides: Sequence[str], *, dropped: Collection[str] = (), dropped_groups: Collection[str] = ()
) -> list[str]:
    """Return the overrides that an inner run shares with the command that needs it, in their order.

    dropped: keys that it does not share; dropped_groups: keys that it does not share, with everything below them.
    """
    return [word for word in overrides if _key_of(word) not in dropped and not _is_in(_key_of(word), dropped_groups)]


def _key_of(word: str) -> str:
    return word.lstrip("+").partition("=")[0]


def _is_in(key: str, groups: Collection[str]) -> bool:
    return any(key == group or key.startswith(f"{group}.") for group in groups)
