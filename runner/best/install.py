"""Registers the sweeper `best` with Hydra's plugins, together with those of runner/sweep/."""

from __future__ import annotations

from functools import cache

from hydra.core.plugins import Plugins

from runner.best.sweeper import BestSweeper
from runner.config.plugins import PLUGINS
from runner.sweep import install


@cache
def install_plugins() -> None:
    """Register all our launchers and sweepers with Hydra's plugins."""
    install.install_plugins()
    plugins = Plugins.instance()
    plugins.register(BestSweeper)
    plugins.class_name_to_class[f"{PLUGINS}.{BestSweeper.__name__}"] = BestSweeper
