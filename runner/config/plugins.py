"""The launchers, sweepers and named sweeps that Hydra's composition has to know.

Classes are named by string only, so that composing a config loads none of them; `runner/sweep/install.py` loads ours.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from runner.best.settings import BestSettings
from runner.config.folders import SWEEPS, config_roots, ours
from runner.config.hydra_speed import speed_up_hydra
from runner.config.typed import typed
from runner.errors import ConfigError
from runner.sweep.settings import SweepSettings
from runner.tune.settings import SearchSettings

if TYPE_CHECKING:
    from omegaconf import DictConfig

GRID = ("max_batch_size", "params")  # the keys of hydra.sweeper with hydra/sweeper=grid
PLUGINS = "hydra_plugins.bertier"  # Hydra takes plugins from packages of this name only


def named_sweeps() -> dict[str, Path]:
    """Return the sweeps that have a name, each with its file: ours, and those in sweeps/ of the user's folders."""
    return _named_sweeps(config_roots())


@cache
def _named_sweeps(roots: tuple[Path, ...]) -> dict[str, Path]:
    package = Path(str(resources.files(SWEEPS)))
    folders = [package if root == ours() else root / SWEEPS for root in reversed(roots)]
    found = {path.stem: path for folder in folders for path in folder.glob("*.yaml")}
    return dict(sorted(found.items()))


def read_sweep_file(name: str) -> DictConfig:
    """Return the content of a sweep's file; raises ConfigError if it is none."""
    import yaml
    from omegaconf import DictConfig, OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    path = named_sweeps()[name]
    try:
        found = OmegaConf.load(path)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}. Fix that YAML") from error
    for key in ("", "sweep", "hydra", "hydra.sweeper", "hydra.sweeper.params"):
        node = OmegaConf.select(found, key) if key else found
        if not isinstance(node, DictConfig) and (node is not None or not key):
            raise ConfigError(
                f"{path}: {key or 'its content'} is not a mapping of keys to values. Copy a file of sweeps/"
            )
    assert isinstance(found, DictConfig)
    if unread := _unread_keys(found):
        raise ConfigError(f"{path}: {unread}. Copy a file of sweeps/")
    try:
        typed(SweepSettings, OmegaConf.to_container(found, resolve=False).get("sweep") or {})  # type: ignore[union-attr]
    except OmegaConfBaseException as error:
        raise ConfigError(f"{path}: sweep: {str(error).splitlines()[0]}. Copy a file of sweeps/") from error
    if OmegaConf.select(found, "sweep.name") is None:  # it is found by this name afterwards
        OmegaConf.update(found, "sweep.name", name)
    return found


def _unread_keys(file: DictConfig) -> str | None:
    """Return what is wrong with the keys of hydra.sweeper in a sweep's file: no sweeper would read a misspelt one.

    A file with `defaults` may choose a sweeper of the user's own, whose keys are not known here.
    """
    from omegaconf import OmegaConf

    known = [*GRID, *(field.name for kind in (SearchSettings, BestSettings) for field in fields(kind))]
    for key in {} if "defaults" in file else OmegaConf.select(file, "hydra.sweeper") or {}:
        if key not in known:
            return f"hydra.sweeper has no `{key}`; a grid has {' and '.join(GRID)}"
    return None


def sweep_overrides(name: str) -> list[str]:
    """Return the overrides that a sweep's file makes, as one would type them; raises ConfigError for a damaged file."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    params = OmegaConf.select(read_sweep_file(name), "hydra.sweeper.params") or {}
    try:
        return [f"{key}={value}" for key, value in params.items()]
    except OmegaConfBaseException as error:
        where = f"{named_sweeps()[name]}: {error.full_key}"
        raise ConfigError(
            f"{where}: {str(error).splitlines()[0]}. A value of each run is written \\${{key}}"
        ) from error


@cache
def register_plugins() -> None:
    """Register `hydra/launcher=local`, `hydra/sweeper=grid` and so on for Hydra's composition."""
    from hydra.core.config_store import ConfigStore

    prefer_ours()
    search_folders()
    speed_up_hydra()
    store = ConfigStore.instance()
    store.store(group="hydra/launcher", name="local", node={"_target_": f"{PLUGINS}.LocalLauncher"}, provider="bertier")
    grid = {"_target_": f"{PLUGINS}.Grid"} | dict.fromkeys(GRID)
    store.store(group="hydra/sweeper", name="grid", node=grid, provider="bertier")


def register_sweeps(words: list[str]) -> None:
    """Register the sweeps that a command names with Hydra; for shell completion register all of ours."""
    from hydra.core.config_store import ConfigStore

    is_completion = any(word.startswith(("-sc", "--shell-completion")) for word in words)
    named = " ".join(word for word in words if "sweep=" in word)
    for name in named_sweeps():
        if is_completion or name in named:
            node = read_sweep_file(name)
            ConfigStore.instance().store(group="sweep", name=name, node=node, package="_global_", provider="bertier")


def prefer_ours() -> None:
    """Remove the plugins' own defaults for the launchers in conf/: Hydra would merge the two, with a warning."""
    from hydra.core.config_store import ConfigStore
    from hydra.core.plugins import Plugins

    Plugins.instance()  # scans the plugins, which puts their defaults into the store
    theirs = ConfigStore.instance().repo["hydra"]["launcher"]
    for name in ("ray", "submitit_local", "submitit_slurm"):
        theirs.pop(f"{name}.yaml", None)


def search_folders() -> None:
    """Let Hydra search the user's folders too whenever it composes a config, in the order of config_roots."""
    from hydra.core.config_search_path import ConfigSearchPath
    from hydra.core.plugins import Plugins
    from hydra.plugins.search_path_plugin import SearchPathPlugin

    class ConfigFolders(SearchPathPlugin):
        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            roots = config_roots()
            for root in roots[: roots.index(ours())]:
                search_path.prepend("--config-path", f"file://{root}", anchor="main")
            for root in roots[roots.index(ours()) + 1 :]:
                search_path.append("--config-dir", f"file://{root}")

    Plugins.instance().register(ConfigFolders)
