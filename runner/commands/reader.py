"""A model for commands about data, such as `run data`: their settings are checked with a model, but none is trained."""

from __future__ import annotations

from runner.config.check import check_overrides
from runner.config.quotes import add_quotes

READERS = ("model=tiny-sound", "model=bert-tiny")  # of sounds; of texts in which an answer has a place


def with_reader(others: list[str], *, allow_unread: bool = False) -> list[str]:
    """Return the words with a model that reads such data, where no model is named and the usual one does not.

    allow_unread: as in check_overrides.
    """
    others = add_quotes(others)
    has_model = any(word.partition("=")[0] == "model" for word in others)
    if has_model or not check_overrides(others, allow_unread=allow_unread):
        return others
    with_one = ([*others, model] for model in READERS)
    return next((words for words in with_one if not check_overrides(words, allow_unread=allow_unread)), others)
