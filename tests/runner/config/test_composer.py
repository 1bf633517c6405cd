"""Composing many configs of one shape gives the configs that Hydra composes one by one."""

from __future__ import annotations

from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import OmegaConf

from runner.config.composer import Composer
from runner.config.plugins import register_plugins


def test_composing_by_shape_gives_what_hydra_gives() -> None:
    register_plugins()
    GlobalHydra.instance().clear()
    with initialize_config_module("conf", version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", ["model=dsn"], run_mode=RunMode.MULTIRUN)
        composer = Composer(lambda words: loader.load_sweep_config(master, words))
        for words in (
            ["model=dsn", "seed=1", "optimizer.lr=1"],
            ["model=dsn", "seed=2", "optimizer.lr=1e-3"],
            ["model=dsn", "seed=3", "optimizer.lr=null"],
            ["model=dsn", "seed=3", "optimizer.betas=[0.8,0.9]"],
            ["model=dsn", "seed=3", "optimizer.betas=[0.8,0.99]"],
            ["model=bert-tiny", "force=true", "model.tokenizer=train"],
            ["model=bert-tiny", "force=false", "model.tokenizer=auto"],
        ):
            mine, hydras = composer(words), loader.load_sweep_config(master, words)
            assert OmegaConf.to_container(mine) == OmegaConf.to_container(hydras)
