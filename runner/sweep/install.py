"""Registers our launcher and sweepers with Hydra's plugins before it runs a command."""

from __future__ import annotations

from functools import cache

from hydra.core.plugins import Plugins

from runner.config.plugins import PLUGINS, register_plugins
from runner.sweep.launcher import Grid, LocalLauncher
from runner.sweep.optuna import OptunaSweeper


@cache
def install_plugins() -> None:
    """Register the launcher and the sweeper with Hydra's plugins; scanning those takes about 0.1 s."""
    register_plugins()
    plugins = Plugins.instance()
    for plugin in (Grid, LocalLauncher, OptunaSweeper):
        plugins.register(plugin)
        plugins.class_name_to_class[f"{PLUGINS}.{plugin.__name__}"] = plugin
