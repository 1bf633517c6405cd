"""Finds the dotted keys of a choice of config groups, the choice that has a key, and the key that a typo may mean."""

from __future__ import annotations

import difflib
import re
from contextlib import suppress
from functools import cache

from data.json_types import JsonObject
from runner.config.compose import compose, groups
from runner.config.folders import config_roots
from runner.errors import ConfigError

USUAL = ("data.", "train.", "optimizer.")  # groups whose settings are named most often, suggested first


def closest(word: str, known: list[str]) -> list[str]:
    """Return the known words that `word` may be a typo of, best first; `lr` and `train.lr` find `optimizer.lr`."""
    leaf = word.rpartition(".")[2]
    by_leaf = [name for name in known if name != word and name.rpartition(".")[2] == leaf]
    by_leaf.sort(key=lambda name: (name.count("."), not name.startswith(USUAL)))  # path is data.path
    swapped = [name for name in known if len(word) > 2 and sorted(name) == sorted(word)]  # dns for dsn
    alike = difflib.get_close_matches(word, known, n=2, cutoff=0.7)
    typos = difflib.get_close_matches(word, known, n=2, cutoff=0.88) if "." in word else []  # of optimzer.lr
    return list(dict.fromkeys(typos + by_leaf + swapped + alike))[:2]


def did_you_mean(close: list[str]) -> str:
    """Return the suggestion at the end of a message: "; did you mean a or b?", or "" if nothing is close."""
    return f"; did you mean {' or '.join(close)}?" if close else ""


@cache
def known_keys(*choices: str) -> JsonObject:
    """Return every dotted key, with its default, that exists with these choices, such as "model/embedding=hash"."""
    from omegaconf import OmegaConf

    config = compose(list(choices))
    flat: JsonObject = {}

    def walk(node: JsonObject, prefix: str) -> None:
        for key, value in node.items():
            name = f"{prefix}{key}"
            if isinstance(value, dict):
                walk(value, f"{name}.")
            flat[name] = value

    whole = OmegaConf.to_container(config, resolve=False)
    assert isinstance(whole, dict), "a config has keys"
    walk({str(key): value for key, value in whole.items()}, "")
    return flat


def is_part(group: str, owner: str) -> bool:
    """Is `group` the group `owner`, or nested in it?"""
    return group == owner or group.startswith(f"{owner}/")


def owner_of(key: str, group: str) -> str | None:
    """Return `group=option` for an option that has this key, so that messages on model.width can suggest model=dsn."""
    parts = [name for name in groups() if is_part(name, group)]
    mentions = _mentioning(key.rpartition(".")[2], group) if parts else set()
    for part in parts:
        for option in sorted(groups()[part], key=len):  # dsn before dsn-128
            with suppress(ConfigError):  # a YAML does not compose, but was not chosen
                if f"{part}/{option}" in mentions and key in known_keys(f"{part}={option}"):
                    return f"{part}={option}"
    return None


def _mentioning(word: str, group: str) -> set[str]:
    """Return the options of a group whose YAML, or one it includes, mentions the key `word`.

    The files are read as text, since composing all options takes seconds.
    """
    files = {path: root for root in config_roots() for path in (root / group).rglob("*.yaml")}
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in files}
    holding = [path for path, text in texts.items() if re.search(rf"^ *{re.escape(word)}:", text, re.MULTILINE)]
    parts = [f"{path.parent.name}: {path.stem}" for path in holding]
    is_shared = any(path.stem.startswith("_") for path in holding)
    found = [path for path, text in texts.items() if is_shared or path in holding or any(p in text for p in parts)]
    return {path.relative_to(files[path]).with_suffix("").as_posix() for path in found}
