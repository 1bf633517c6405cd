"""Refuses settings of sounds that contradict the model or the task, before any data are read."""

from __future__ import annotations

from collections.abc import Sequence

from data.settings import DataSettings
from models.compression.settings.learn import TaughtSettings
from models.settings import reads_frames
from runner.config.compose import compose
from runner.errors import ConfigError
from runner.schema import Settings
from runner.tasks import named_task


def column_of_sounds(words: Sequence[str]) -> str | None:
    """Return the column of sounds in the data that a command names; None if these are texts.

    Used by commands for texts only. None also for words that do not compose, which are refused elsewhere.
    """
    try:
        found: str | None = compose([word for word in words if word.startswith(("data=", "data."))]).data.audio
    except ConfigError:
        return None
    return found


def sound_conflicts(settings: Settings) -> list[str]:
    """Return one line for each setting that does not go with sounds, or not with texts, with the cure."""
    model, data = settings.model, settings.data
    reads = reads_frames(model)
    if reads and data.audio is None:
        return [
            f"model={model.name} reads sounds, but data={data.name} has texts. "
            "Try: data=esc10, data.audio=<the column of the sound files>, or model=bert-tiny"
        ]
    if data.audio is not None and not reads:
        return [
            f"data.audio={data.audio} gives sounds, but model={model.name} reads texts. "
            "Try: model=tiny-sound, model=mfcc-cnn or model=frames-lr"
        ]
    task = named_task(settings.task, data)
    if reads and task and (task.input != "text" or not task.needs_label):
        return [f"task={task.name} is for texts, but data.audio={data.audio} gives sounds. Try: leave task= out"]
    taught = next((name for name, stage in settings.compression.items() if isinstance(stage, TaughtSettings)), None)
    if taught and data.augment.mixup:
        return [
            f"compression=[{taught}] learns a teacher's answers to whole sounds, but data.augment.mixup="
            f"{data.augment.mixup:g} mixes them. Try: data.augment.mixup=0"
        ]
    return _text_settings(data)


def _text_settings(data: DataSettings) -> list[str]:
    """Return settings of texts that are given beside a column of sounds."""
    if data.audio is None:
        return []
    given = {"text_pair": data.text_pair, "clean": data.clean, "lower": data.lower, "codes": data.codes}
    found = [
        f"data.{name}={value} is for texts, but data.audio={data.audio} gives sounds. Try: data.{name}=null"
        for name, value in given.items()
        if value is not None
    ]
    return found + (["data.report=[...]: sounds have no other languages. Try: 'data.report=[]'"] if data.report else [])
