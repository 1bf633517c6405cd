"""Finds where each setting of a recorded run came from: a file in conf/, a sweep's YAML, the command line, or derived.

Nothing is guessed: Hydra composes the recorded overrides again, its defaults list names the files in order, and the
result is compared with the record. Values that today's files no longer give are marked.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast, get_args, get_type_hints

from data.json_types import Json, JsonObject
from runner.compare.select import setting_text
from runner.config.compose import compose, groups
from runner.config.resolve import resolve
from runner.config.sized import BY_ROWS, TABLE, with_rows
from runner.record.identity import flatten
from runner.record.record import RunRecord
from runner.record.sweep_record import SweepRecord, find_sweep_of
from runner.schema import Settings

RESOLVE = "runner/config/resolve.py:resolve"
_ABSENT = object()


@dataclass(frozen=True)
class Origin:
    """One setting as recorded, and where it came from."""

    key: str
    value: Json
    source: str


def setting_origins(record: RunRecord, output: Path) -> list[Origin]:
    """Return the origin of every setting in a record, in the config's order.

    Raises ConfigError if the config no longer composes.
    """
    from omegaconf import OmegaConf

    words = record.overrides
    config = compose(words)
    composed = flatten(cast(JsonObject, OmegaConf.to_container(config, resolve=True)))
    asked = resolve(config, words=words)
    before, today = (flatten(asdict(one)) for one in (asked, with_rows(asked, record.data.rows.get("train", 0))[0]))
    files = _files(words)
    typed = _typed(words, find_sweep_of(output, record.identity))
    sized = {key for key, value in today.items() if value != before[key]} & set(BY_ROWS)

    def origin(key: str) -> str:
        if key in sized:
            return f"{origin(TABLE)}, by the number of training rows"
        return _written(key, files, typed) or f"default in {_module(key)}"

    return [
        Origin(key, value, _source(key, value, composed if key not in sized else {}, today, origin))
        for key, value in flatten(record.config).items()
        if not key.endswith("description")
    ]


def _source(key: str, value: Json, composed: JsonObject, today: JsonObject, origin: Callable[[str], str]) -> str:
    """Return the origin of a recorded value, in words."""
    written, now = composed.get(key, _ABSENT), today.get(key, _ABSENT)
    derived = written is not _ABSENT and written != now
    if derived:
        here = "" if now == value else f"; here it would be {setting_text(now)}"
        return f"derived by {RESOLVE} from {setting_text(written)}, {origin(key)}{here}"
    if now is _ABSENT:
        return "recorded by other code: there is no such setting today"
    if now != value:
        return f"recorded by other code or files: today it is {setting_text(now)}, {origin(key)}"
    return origin(key)


def _files(words: list[str]) -> dict[str, tuple[str, Json]]:
    """For each key, the YAML that set it last and the value as written there, with interpolations."""
    from hydra import initialize_config_module
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode
    from omegaconf import OmegaConf

    GlobalHydra.instance().clear()
    found: dict[str, tuple[str, Json]] = {}
    with initialize_config_module("conf", version_base="1.3"):
        loader: Any = GlobalHydra.instance().config_loader()
        for default in loader.compute_defaults_list("config", words, RunMode.RUN).defaults:
            path, package = str(default.config_path), str(default.package or "")
            if path.startswith("hydra/"):
                continue
            loaded = loader.repository.load_config(path)
            content = flatten(cast(JsonObject, OmegaConf.to_container(loaded.config, resolve=False)))
            name = f"{path}.yaml" if path.startswith("sweep/") else f"{_root(loaded.path)}/{path}.yaml"
            found |= {
                f"{package}.{key}" if package else key: (name.replace("sweep/", "sweeps/"), value)
                for key, value in content.items()
            }
    return found


def _root(source: str) -> str:
    """Return the folder of a config source: conf, or one of the user's by its whole path."""
    scheme, _, place = source.partition("://")
    return place.replace(".", "/") if scheme == "pkg" else place


def _typed(words: list[str], sweep: SweepRecord | None) -> dict[str, str]:
    """For each overridden key or group, what overrode it: the command line, or the sweep that the run was part of."""
    commanded = {_key(word): word for word in (sweep.overrides if sweep else [])}
    found = {}
    for word in words:
        key = _key(word)
        if sweep and key not in commanded and key not in ("sweep", "hydra"):
            found[key] = f"{word} of " + (f"sweeps/{sweep.name}.yaml" if sweep.name else f"sweep {sweep.id}")
        else:
            found[key] = f"{commanded.get(key, word)} on the command line"
    return found


def _key(word: str) -> str:
    return str(word).partition("=")[0].lstrip("+~")


def _written(key: str, files: dict[str, tuple[str, Json]], typed: dict[str, str]) -> str | None:
    """Return the override that set a key, or the file and what chose that file; None for a default of the dataclass."""
    parts = key.split(".")
    for end in range(len(parts), 0, -1):
        over = ".".join(parts[:end])
        if over in typed and over not in groups():
            return typed[over]
    if key not in files:
        return None
    name, value = files[key]
    text = name
    group = name.removeprefix("conf/").rpartition("/")[0]
    # A nested group's file is chosen by itself or by a preset of the group above it.
    above = [group.rsplit("/", up)[0] for up in range(group.count("/") + 1)]
    if chosen := next((typed[name] for name in above if name in typed), None):
        text += f", by {chosen.removesuffix(' on the command line')}"
    reference = re.fullmatch(r"\$\{([\w.]+)\}", value) if isinstance(value, str) else None
    if reference:
        text += f" as {value}: {_written(reference[1], files, typed) or f'default in {_module(reference[1])}'}"
    elif isinstance(value, str) and "${" in value:
        text += f" as {value}"
    return text


def _module(key: str) -> str:
    """Return the path of the file whose dataclass declares a setting."""
    kind: Any = Settings
    for part in key.split(".")[:-1]:
        if not dataclasses.is_dataclass(kind) or part not in get_type_hints(kind):
            break
        hint = get_type_hints(kind)[part]
        kind = next((k for k in (hint, *get_args(hint)) if dataclasses.is_dataclass(k)), kind)
    return f"{kind.__module__.replace('.', '/')}.py"
