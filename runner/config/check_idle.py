"""Settings in the command of one run that nothing reads, so that it would repeat another run under another id.

As in check_stages, only words of the command are refused, not values of a YAML, and a sweep is not checked: a word may
be meant for some of its runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from runner.record.identity import neutral_keys
from runner.schema import Settings
from runner.tasks.own_settings import unread_settings

OF_SOUNDS = ("rate", "seconds", "average_frames", "stack_frames", "max_mb", "augment")
OF_DEMO = ("demo_rows", "demo_task")


def settings_without_effect(words: Sequence[str], settings: Settings) -> list[str]:
    """Return one line for each word that sets what this run does not read, with the cure."""
    unread, neutral = _unread(settings), set(neutral_keys(settings))
    found = []
    for word in words:
        key = word.partition("=")[0]
        reason = next((why for start, why in unread.items() if key == start or key.startswith(f"{start}.")), None)
        if reason and key not in neutral:
            found.append(f"{word} has no effect: {reason}, or leave it out")
    return found


def _unread(settings: Settings) -> dict[str, str]:
    """Return the settings that nothing reads, each with the reason and the cure."""
    model, data = settings.model, settings.data
    found = {key: f"only {task} reads it. Try: {task}" for key, task in unread_settings(settings.task, data).items()}
    if data.audio is None:
        why = f"it is for sounds, and data={data.name} has texts. Try: data.audio=<the column of the sound files>"
        found |= {f"data.{name}": why for name in OF_SOUNDS}
    if data.source != "demo":
        why = f"it is for the built-in data, not for data={data.name}. Try: data.max_rows=<rows>"
        found |= {f"data.{name}": why for name in OF_DEMO}
    if data.folds is None:
        found["data.fold_seed"] = "it draws folds. Try: data.folds=5 data.fold=0"
    if model.tokenizer not in ("train", "auto") and not model.init_from:  # a run may go on with another one's words
        found["model.vocab_size"] = (
            f"it is the size of a vocabulary to train, but model.tokenizer={model.tokenizer} has its own. "
            f"Try: {_smaller_vocabulary(settings)}"
        )
    return found


def _smaller_vocabulary(settings: Settings) -> str:
    """Return the setting that has the effect which a size of the vocabulary was meant to have."""
    model = settings.model
    if model.pretrained and model.embedding["name"] == "table":
        return "model.vocabulary=<that many> (the most frequent tokens of the checkpoint)"
    return "model.tokenizer=train"
