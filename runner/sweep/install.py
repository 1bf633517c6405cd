"""Our launcher and sweepers, made known to Hydra's plugins before it runs a command."""

from __future__ import annotations

from functools import cache
from typing import Any

from runner.config.plugins import PLUGINS, register_plugins


@cache
def install_plugins() -> None:
    """Make the launcher and the sweeper known to Hydra's plugins; scans those, about 0.1 s."""
    from hydra.core.plugins import Plugins

    from runner.sweep.launcher import Grid, LocalLauncher
    from runner.sweep.optuna import OptunaSweeper

    register_plugins()
    plugins = Plugins.instance()
    for plugin in (Grid, LocalLauncher, OptunaSweeper):
        plugins.register(plugin)
        plugins.class_name_to_class[f"{PLUGINS}.{plugin.__name__}"] = plugin


def returned() -> list[Any]:
    """What the jobs of this command's sweep returned."""
    from runner.sweep.launcher import Grid

    return [result.return_value for result in Grid.returned]
