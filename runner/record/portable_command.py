"""The command of a run as the card of its model shows it: it names no folder of the machine that trained.

A folder with a model is shared: in a bundle, an image, an MLflow model, or on the hub.
"""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath

from data.quoting import hydra_setting, hydra_value
from runner.record.command import recorded_words
from runner.record.identity import FILES
from runner.record.record import RunRecord
from runner.sanitize import mask, visible

LOCAL = ("/", "~", "./", "../")  # beginnings of a path
OF_MACHINE = ("paths.", "tracker")  # beginnings of settings that say where files are, not what is computed
PATHS = {  # last parts of settings that may hold a path
    *(key.rpartition(".")[2] for key in FILES), "calibration", "finished", "id", "init_from", "model", "path",
    "pretrained", "teacher", "tokenizer", "unlabelled",
}  # fmt: skip


def command_of(record: RunRecord) -> str:
    """Return the command that repeats the run, with only the last part of each path, as readers have other folders."""
    return shlex.join(["run", *_shared(recorded_words(record))])


def _shared(words: list[str]) -> list[str]:
    """Return the words of a command that mean the same on another machine, paths without their folders."""
    return [visible(mask(_without_folders(word))) for word in words if not word.startswith(OF_MACHINE)]


def _without_folders(word: str) -> str:
    """Return a setting with the last parts of the paths that it holds; another word as it is."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    name = word.partition("=")[0]
    if name.lstrip("+~").rpartition(".")[2] not in PATHS:
        return word
    try:
        override = OverridesParser.create().parse_override(word)
    except HydraException:  # a word of a verb
        return word
    value = override.value()
    if isinstance(value, list):
        parts = [str(part) for part in value]
        short = [_last_part(part) for part in parts]
        return word if short == parts else f"{name}=[{','.join(map(hydra_value, short))}]"
    text = str(value)
    return word if _last_part(text) == text else hydra_setting(name, _last_part(text))


def _last_part(text: str) -> str:
    """Return the last part of a path, or of each path in a command; other text unchanged."""
    if "=" in text and not text.startswith(LOCAL):  # the command of another run, as a teacher's
        words = shlex.split(text)
        return text if _shared(words) == words else shlex.join(_shared(words))
    is_path = text.startswith(LOCAL) or text.count("/") > 1
    return PurePosixPath(text).name or text if is_path else text
