"""Words for what a file that a command names, such as `experiment=mine`, sets in some groups.

A run that another one needs first shares some groups of its command, but not the file, which names the other's model
too. What the file sets in these groups becomes words: `data=files data.path=reviews.csv`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from data.json_types import Json, JsonObject
from data.quoting import hydra_setting
from runner.config.compose import compose, groups
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.record.identity import identity_settings
from runner.schema import Settings

if TYPE_CHECKING:
    from omegaconf import DictConfig


def words_of_files(overrides: Sequence[str], shared: Collection[str]) -> list[str]:
    """Return the words for the values that overrides have in the shared groups without setting them there.

    shared: groups and settings. One of a model, such as model.tokenizer, is left out: its value may be a preset's.
    Raises ConfigError for overrides that do not compose.
    """
    wanted = [key for key in shared if not key.startswith("model.")]
    alone = [word for word in overrides if word.lstrip("+~").partition("=")[0].partition(".")[0] in wanted]
    overrides = [word for word in overrides if not word.lstrip("+~").startswith("hydra")]
    values, own = _values(compose(overrides), wanted), _values(compose(alone), wanted)
    if values == own:
        return []
    choices = _choices(overrides, alone, wanted)
    own = _values(compose([*choices, *alone]), wanted)
    changed = {key: value for key, value in values.items() if key not in own or value != own[key]}
    return choices + [hydra_setting(key if key in own else f"++{key}", value) for key, value in changed.items()]


def missing_words(words: Sequence[str], settings: Settings) -> list[str]:
    """Return the words for what settings have beyond those of a command, such as a model that a file names.

    There are none where these words alone contradict each other.
    """
    try:
        found = identity_settings(resolve(compose([*words]), words=words))
    except ConfigError:
        return []
    wanted = identity_settings(settings)
    return [hydra_setting(key, value) for key, value in wanted.items() if found.get(key) != value]


def names_file(overrides: Sequence[str]) -> bool:
    """Does the command name a file that may set anything, a model and its compression among it?"""
    return any(word.startswith("experiment=") for word in overrides)


def _values(config: DictConfig, keys: Collection[str]) -> dict[str, Json]:
    """Return the values of the groups, each by its dotted key; one that is an object or a list stays whole."""
    from omegaconf import OmegaConf

    found = dict[str, Json]()
    for key in keys:
        node = config[key]
        if OmegaConf.is_config(node):
            plain: JsonObject = OmegaConf.to_container(node, resolve=True)  # type: ignore[assignment]
            found |= {f"{key}.{name}": value for name, value in plain.items()}
        else:
            found[key] = node
    return found


def _choices(overrides: Sequence[str], alone: Sequence[str], keys: Collection[str]) -> list[str]:
    """Return the words for the choices, such as data=imdb, in which the overrides differ from their own words alone."""
    chosen, usual = (compose([*words], hydra=True).hydra.runtime.choices for words in (overrides, alone))
    return [f"{key}={chosen[key]}" for key in keys if key in groups() and chosen[key] != usual[key]]
