"""Refuses settings that nothing reads in the command of one run, which would repeat another run under another id.

As in check_stages, only words of the command are refused, not values of a YAML, and a sweep is not checked: a word may
be meant for some of its runs.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.settings import FITTED, FITTED_HEAD, FITTED_NGRAMS, OVER_NGRAMS, WORD_TABLE, ModelSettings
from runner.record.identity import neutral_keys
from runner.schema import Settings
from runner.tasks.own_settings import unread_settings

OF_SOUNDS = ("rate", "seconds", "average_frames", "stack_frames", "max_mb", "augment")
OF_DEMO = ("demo_rows", "demo_task")
OF_STEPS = ("optimizer", "schedule", "train.epochs", "train.steps", "train.batch_size")


def settings_without_effect(words: Sequence[str], settings: Settings) -> list[str]:
    """Return one line for each word that sets something that this run does not read, with the cure."""
    unread, neutral = _unread(settings), set(neutral_keys(settings))
    found = []
    for word in words:
        key, _, value = word.partition("=")
        if (key, value) == ("model.tokenizer", settings.model.tokenizer):  # as recorded runs have it
            continue
        reason = next((why for start, why in unread.items() if key == start or key.startswith(f"{start}.")), None)
        if reason and key not in neutral:
            found.append(f"{word} has no effect: {reason}, or leave it out")
    return found


def _unread(settings: Settings) -> dict[str, str]:
    """Return the settings that nothing reads, each with the reason and the cure."""
    data = settings.data
    unread = unread_settings(settings.task, data).items()
    found = {key: f"only {task} reads it. Try: {task}" for key, task in unread}
    if data.audio is None:
        why = f"it is for sounds, and data={data.name} has texts. Try: data.audio=<the column of the sound files>"
        found |= {f"data.{name}": why for name in OF_SOUNDS}
    if data.source != "demo":
        why = f"it is for the built-in data, not for data={data.name}. Try: data.max_rows=<rows>"
        found |= {f"data.{name}": why for name in OF_DEMO}
    if data.folds is None:
        found["data.fold_seed"] = "it draws folds. Try: data.folds=5 data.fold=0"
    # Stages of a compression may train in steps.
    found |= {} if settings.compression else _unread_in_training(settings.model)
    return found | _unread_in_model(settings.model)


def _unread_in_training(model: ModelSettings) -> dict[str, str]:
    """Return the settings of gradient training if the model is fitted instead; {} for other models."""
    if model.family in FITTED:
        why = f"model={model.name} is fitted in one pass. Try: model=ngram-vectors, which is trained in steps"
    elif model.head == FITTED_HEAD and model.pairs == "none":
        why = f"model.head={FITTED_HEAD} is fitted in one pass. Try: model.head=trained"
    else:
        return {}
    return dict.fromkeys(OF_STEPS, why)


def _unread_in_model(model: ModelSettings) -> dict[str, str]:
    """Return the settings of the model that other settings leave without effect, each with the reason and the cure."""
    found = dict[str, str]()
    # A command with model.init_from may repeat the words of the run that it starts from.
    if model.tokenizer not in ("train", "auto") and not model.init_from:
        has_table = model.pretrained and model.embedding["name"] == "table"
        cure = "model.vocabulary=<that many> (the most frequent tokens)" if has_table else "model.tokenizer=train"
        found["model.vocab_size"] = (
            f"it is the size of a vocabulary to train, but model.tokenizer={model.tokenizer} has its own. Try: {cure}"
        )
    if model.family in OVER_NGRAMS:
        found["model.tokenizer"] = f"model={model.name} reads words. Try: model=dsn, which reads word pieces"
    if model.family == FITTED_NGRAMS and model.whole:
        why = f"model={model.name} reads whole texts. Try: model.whole=false"
        found |= {"data.max_length": why, "data.truncate": why}
    if model.family == "auto":
        found["model.initializer_range"] = "the checkpoint's own is taken. Try: another checkpoint"
    if model.init_from and model.family != "dsn":  # a DSN only takes the word vectors from it
        why = "that of the model in model.init_from is taken. Try: model.init_from=null"
        shape = () if model.carry == WORD_TABLE else ("positions", "segments")
        found |= {f"model.{name}": why for name in ("initializer_range", *shape)}
    if model.family == "dsn" and model.init_from and model.init == "random":
        found["model.init_from"] = "model.init=random draws the word vectors. Try: model.init=slice, or model.init=pca"
    if model.family == "dsn" and (model.dims is not None or model.pretrained):
        found["model.width"] = "the width of the vectors is set otherwise. Try: model.dims=<a width>"
    if model.head != FITTED_HEAD:
        found["model.head_c"] = f"model.head={model.head} is trained. Try: model.head={FITTED_HEAD}"
    if not model.init_from and not model.tune.epochs:
        found["model.carry"] = "no other model's weights are taken over. Try: model.init_from=<a run id>"
    return found
