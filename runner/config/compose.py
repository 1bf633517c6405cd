"""The config groups and their choices, and the config that Hydra composes from a command's overrides.

Nothing heavy is imported: a mistake in a config is reported in under a second.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from runner.config.folders import config_roots, ours
from runner.config.plugins import register_plugins
from runner.errors import ConfigError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig


PORTFOLIO = "best"  # the kinds of candidates of `run best`
PAIRS = "blimp"  # the minimal pairs that `run blimp` knows
NO_GROUPS = (PORTFOLIO, PAIRS)  # folders of conf/ that are no config groups: each has the files of one command


def groups() -> dict[str, list[str]]:
    """Return every config group and its choices, sorted: {"model": ["auto", "bert-base", ...], ...}.

    Files whose names start with an underscore are shared parts, not choices. The user's folders may add choices to our
    groups, and no groups.
    """
    return _groups(config_roots())


@cache
def _groups(roots: tuple[Path, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for root in sorted(roots, key=lambda root: root != ours()):
        for path in sorted(root.rglob("*.yaml")):
            group = path.parent.relative_to(root).as_posix()
            is_choice = group not in (".", *NO_GROUPS) and not path.name.startswith("_")
            if is_choice and (root == ours() or group in found):
                found.setdefault(group, []).append(path.stem)
    return {group: sorted(set(choices)) for group, choices in found.items()} if len(roots) > 1 else found


def portfolio_files() -> dict[str, Path]:
    """Return the file of each kind of candidate that `run best` tries, by name, the user's own among them."""
    return _files_in(PORTFOLIO)


def pair_files() -> dict[str, Path]:
    """Return the file of each set of minimal pairs that `run blimp` knows, by name, the user's own among them."""
    return _files_in(PAIRS)


def _files_in(folder: str) -> dict[str, Path]:
    """Return the YAML files in a folder of all roots, by name; of files with the same name, that of the first root."""
    found = {path.stem: path for root in reversed(config_roots()) for path in (root / folder).glob("*.yaml")}
    return dict(sorted(found.items()))


def normalize_override(word: str) -> str:
    """Return an override with a nested group in Hydra's spelling.

    model.backbone=bert-mini becomes model/backbone=bert-mini.
    """
    key, equals, value = word.partition("=")
    group = key.replace(".", "/")
    return f"{group}{equals}{value}" if "." in key and group in groups() else word


@cache
def parsed(word: str) -> Override:
    """Return one word of a command as Hydra parses it; cached, as parsing takes milliseconds.

    Raises HydraException for a word that is not an override.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create().parse_override(word)


def compose(overrides: list[str], hydra: bool = False) -> DictConfig:
    """Return the composed config of one run, interpolations not yet resolved.

    Raises ConfigError for what does not compose.

    hydra: with the node of that name, which holds launcher and sweeper.
    """
    from hydra._internal.config_loader_impl import ConfigLoaderImpl

    with config_errors():
        if hydra:
            return composed_by_hydra(overrides, hydra=True)
        values = _values(overrides)
        choices = [word for word in overrides if parsed(word) not in values]
        config: DictConfig = pickle.loads(_base(_by_group(choices), config_roots()))  # noqa: S301 an eighth of a deepcopy's time
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
        return config


@contextmanager
def config_errors() -> Iterator[None]:
    """Turn every error that Hydra raises for a config that does not compose into a ConfigError that says what to do."""
    import yaml
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        yield
    except ConfigError:
        raise
    except RecursionError:
        raise ConfigError(
            "the config does not compose: the `defaults:` of a YAML lead back to that YAML. Take it out of them"
        ) from None
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError, OSError) as error:
        reason = " ".join(str(error.__cause__ or error).split())
        if isinstance(error.__cause__ or error, UnicodeDecodeError):  # names no file
            reason = f"{_not_utf8() or 'a YAML'}: {reason}"
        if missing := re.search(r"Could not (?:find|load) '([\w/.-]+)/([^'/]+)'", reason):
            raise ConfigError(_no_file(*missing.groups())) from error
        raise ConfigError(f"the config does not compose: {reason}. Fix that YAML, then: run --cfg job") from error


def _not_utf8() -> Path | None:
    """Return the first YAML that is not in UTF-8; None if all are."""
    for path in sorted(path for root in config_roots() for path in root.rglob("*.yaml")):
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return path
    return None


def _no_file(group: str, choice: str) -> str:
    """Return the message for a choice that has no file but is named in a YAML or in the command of a finished run."""
    close = get_close_matches(choice, groups().get(group, []), n=1, cutoff=0.7)
    meant = f"; did you mean {close[0]}?" if close else "."
    return f"{group}={choice}: no such file{meant} All: run list {group}. If it is your own: run --config-dir DIR"


@cache
def _base(choices: tuple[str, ...], _roots: tuple[Path, ...]) -> bytes:
    """Return the composed config for some choices of groups, without values.

    Hydra sets values last, so all commands with the same choices share this config.
    """
    return pickle.dumps(composed_by_hydra(list(choices), hydra=False))


def _by_group(choices: list[str]) -> tuple[str, ...]:
    """Return the choices in a fixed order, whatever their order in the command.

    Hydra applies groups in the order of its own list.
    """
    return tuple(sorted(choices, key=lambda word: parsed(word).key_or_group))


def _values(overrides: list[str]) -> list[Override]:
    """Return the words that set a value; none if a word does more than set a value or choose from a group."""
    from hydra.core.override_parser.types import OverrideType

    found = [parsed(word) for word in overrides]
    if any(o.type != OverrideType.CHANGE or o.package or o.is_sweep_override() for o in found):
        return []
    return [o for o in found if o.key_or_group not in groups() and not o.key_or_group.startswith("hydra")]


def given_words(task: Sequence[str]) -> list[str]:
    """Return the words of a command; task: the node `hydra.overrides.task` of its config.

    Its elements are not read one by one, as that would resolve `train.steps=${seed}` with the seed of the defaults.
    """
    from omegaconf import OmegaConf

    words = OmegaConf.to_container(task, resolve=False)
    assert isinstance(words, list), "that node is a list"
    return words


def composed_by_hydra(overrides: list[str], hydra: bool) -> DictConfig:
    """Return the config as Hydra composes it without any cache, in 0.08 s; hydra: with the node of that name."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module
    from hydra.core.global_hydra import GlobalHydra

    register_plugins()
    GlobalHydra.instance().clear()
    with initialize_config_module("conf", version_base="1.3"):
        return hydra_compose("config", overrides=overrides, return_hydra_config=hydra)
