"""Many runs as one set, and the plugins that Hydra starts them with.

Nothing heavy is imported here: every command registers these choices.
"""

from __future__ import annotations

from functools import cache
from typing import Any

PLUGINS = "hydra_plugins.bertier"  # Hydra takes plugins from packages of this name only


@cache
def register() -> None:
    """Make `hydra/sweeper=grid` known to Hydra's composition, and our YAMLs for other people's plugins."""
    from hydra.core.config_store import ConfigStore

    prefer_ours()
    grid = {"_target_": f"{PLUGINS}.Grid", "max_batch_size": None, "params": None}
    ConfigStore.instance().store(group="hydra/sweeper", name="grid", node=grid, provider="bertier")


def prefer_ours() -> None:
    """Forget the plugins' own defaults for what conf/hydra/launcher has: Hydra would mix the two, with a warning."""
    from hydra.core.config_store import ConfigStore
    from hydra.core.plugins import Plugins

    Plugins.instance()  # scans the plugins, which puts their defaults into the store
    theirs = ConfigStore.instance().repo["hydra"]["launcher"]
    for name in ("ray", "submitit_local", "submitit_slurm"):
        theirs.pop(f"{name}.yaml", None)


@cache
def install() -> None:
    """Make our sweepers known to Hydra's plugins; scans those, about 0.1 s."""
    from hydra.core.plugins import Plugins

    from runner.sweep.launcher import Grid
    from runner.sweep.optuna import OptunaSweeper

    register()
    plugins = Plugins.instance()
    for plugin in (Grid, OptunaSweeper):
        plugins.register(plugin)
        plugins.class_name_to_class[f"{PLUGINS}.{plugin.__name__}"] = plugin


def returned() -> list[Any]:
    """What the jobs of this command's sweep returned."""
    from runner.sweep.launcher import Grid

    return [result.return_value for result in Grid.returned]
