"""The config groups and their choices, and the config that Hydra composes from a command's overrides.

Nothing heavy is imported: a mistake in a config is reported in under a second.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from runner.config.plugins import register_plugins
from runner.errors import ConfigError

if TYPE_CHECKING:
    from omegaconf import DictConfig


@cache
def groups() -> dict[str, list[str]]:
    """Every config group and its choices, sorted: {"model": ["auto", "bert-base", ...], ...}.

    Files whose names start with an underscore are shared parts, not choices.
    """
    root = Path(str(resources.files("conf")))
    found: dict[str, list[str]] = {}
    for path in sorted(root.rglob("*.yaml")):
        if path.parent != root and not path.name.startswith("_"):
            found.setdefault(path.parent.relative_to(root).as_posix(), []).append(path.stem)
    return found


def normalize_override(word: str) -> str:
    """An override with a nested group in Hydra's spelling: model.backbone=bert-mini is model/backbone=bert-mini."""
    key, equals, value = word.partition("=")
    group = key.replace(".", "/")
    return f"{group}{equals}{value}" if "." in key and group in groups() else word


def compose(overrides: list[str], hydra: bool = False) -> DictConfig:
    """The composed config of one run, interpolations not yet resolved; ConfigError for what does not compose.

    hydra: with the node of that name, which holds launcher and sweeper.
    """
    import yaml
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    register_plugins()
    GlobalHydra.instance().clear()
    try:
        with initialize_config_module("conf", version_base="1.3"):
            return hydra_compose("config", overrides=overrides, return_hydra_config=hydra)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError, OSError) as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise ConfigError(f"the config does not compose: {reason}. Fix that YAML, then: run --cfg job") from error
