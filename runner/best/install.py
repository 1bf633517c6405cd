"""The sweeper `best`, made known to Hydra's plugins beside those of runner/sweep/."""

from __future__ import annotations

from functools import cache

from hydra.core.plugins import Plugins

from runner.best.sweeper import BestSweeper
from runner.config.plugins import PLUGINS
from runner.sweep import install


@cache
def install_plugins() -> None:
    """Make all launchers and sweepers of ours known to Hydra's plugins."""
    install.install_plugins()
    plugins = Plugins.instance()
    plugins.register(BestSweeper)
    plugins.class_name_to_class[f"{PLUGINS}.{BestSweeper.__name__}"] = BestSweeper
