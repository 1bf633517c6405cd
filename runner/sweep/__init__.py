"""Many runs as one set: what is done is skipped, what failed is tried again, what is new is run.

    deferring.py  values that wait for a job's choice of options
    plan.py       the jobs of a command: composed in parallel, checked, looked up
    launcher.py   Hydra's launcher `local` and sweeper `grid`, the defaults of `run -m`
    pool.py       the processes: one a job, siblings go on
    worker.py     the inside of such a process
    ledger.py     sweep.json, the table, the end of a sweep

Nothing heavy is imported here: every command registers these choices.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

PLUGINS = "hydra_plugins.bertier"  # Hydra takes plugins from packages of this name only


@cache
def names() -> dict[str, Path]:
    """The sweeps that have a name, each with its file."""
    root = Path(str(resources.files("sweeps")))
    return {path.stem: path for path in sorted(root.glob("*.yaml"))}


def sweep_overrides(name: str) -> list[str]:
    """The overrides that a sweep's file makes, as one would type them."""
    from omegaconf import OmegaConf

    params = OmegaConf.select(OmegaConf.load(names()[name]), "hydra.sweeper.params") or {}
    return [f"{key}={value}" for key, value in params.items()]


@cache
def register() -> None:
    """Make `hydra/launcher=local`, `hydra/sweeper=grid` and `+sweep=<name>` known to Hydra's composition."""
    from hydra.core.config_store import ConfigStore
    from omegaconf import OmegaConf

    prefer_ours()
    store = ConfigStore.instance()
    store.store(group="hydra/launcher", name="local", node={"_target_": f"{PLUGINS}.LocalLauncher"}, provider="bertier")
    grid = {"_target_": f"{PLUGINS}.Grid", "max_batch_size": None, "params": None}
    store.store(group="hydra/sweeper", name="grid", node=grid, provider="bertier")
    for name, path in names().items():
        store.store(group="sweep", name=name, node=OmegaConf.load(path), package="_global_", provider="bertier")


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
    """Make the launcher and the sweeper known to Hydra's plugins; scans those, about 0.1 s."""
    from hydra.core.plugins import Plugins

    from runner.sweep.launcher import Grid, LocalLauncher
    from runner.sweep.optuna import OptunaSweeper

    register()
    plugins = Plugins.instance()
    for plugin in (Grid, LocalLauncher, OptunaSweeper):
        plugins.register(plugin)
        plugins.class_name_to_class[f"{PLUGINS}.{plugin.__name__}"] = plugin


def returned() -> list[Any]:
    """What the jobs of this command's sweep returned."""
    from runner.sweep.launcher import Grid

    return [result.return_value for result in Grid.returned]
