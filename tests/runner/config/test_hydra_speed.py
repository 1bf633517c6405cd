"""Composing in less time gives the configs that Hydra gives by itself."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import omegaconf
import pytest
import yaml
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

from runner.config.compose import composed_by_hydra
from runner.config.plugins import register_plugins
from tests.conftest import REPO

COMMANDS = (
    ["model=bert-tiny", "data=demo", "compression=[magnitude,int8]", "seed=3"],
    ["model=dsn", "data=imdb", "model/embedding=hash", "optimizer=row_sgd", "train.epochs=0.5"],
    ["model=bert-tiny", "data=imdb"],  # begins as the first one, whose data is another
    ["model=bert-tiny", "data=imdb", "task=mlm", "train.epochs=3"],
)
ORIGINAL = """
import sys
from omegaconf import OmegaConf
from runner.config import plugins
plugins.speed_up_hydra = lambda: None
from runner.config.compose import composed_by_hydra
from runner.config.plugins import register_plugins
for command in sys.argv[1:]:
    for _ in range(2):
        print(OmegaConf.to_yaml(composed_by_hydra(command.split(), hydra=True)))
"""


def test_a_config_is_the_one_that_hydra_composes_by_itself() -> None:
    words = [" ".join(command) for command in COMMANDS]
    done = subprocess.run([sys.executable, "-c", ORIGINAL, *words], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ours = [OmegaConf.to_yaml(composed_by_hydra(command, hydra=True)) for command in COMMANDS for _ in range(2)]
    assert "".join(f"{one}\n" for one in ours) == done.stdout


def test_a_mistake_in_a_file_is_named_after_what_another_config_has_begun_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    own = tmp_path / "data" / "own.yaml"
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    for rows in (5, 7):  # the user's files are read each time
        own.write_text(f"defaults: [_shared]\nmax_rows: {rows}\n", encoding="utf-8")
        assert composed_by_hydra(["data=own"], hydra=False).data.max_rows == rows
    own.write_text("max_rows: 5\nmax_rows: 6\n", encoding="utf-8")
    with pytest.raises(yaml.YAMLError, match="duplicate key max_rows"):
        composed_by_hydra(["data=own"], hydra=False)


def test_libyaml_reads_every_file_as_the_parser_of_omegaconf_does() -> None:
    register_plugins()
    spec = importlib.util.spec_from_file_location("omegaconf._again", omegaconf._utils.__file__)
    assert spec and spec.loader
    again = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(again)
    theirs, ours = again.get_yaml_loader(), omegaconf._utils.get_yaml_loader()
    assert theirs is not ours and issubclass(ours, yaml.CSafeLoader)
    for path in [*REPO.glob("conf/**/*.yaml"), *REPO.glob("sweeps/*.yaml")]:
        text = path.read_text(encoding="utf-8")
        assert repr(yaml.load(text, Loader=ours)) == repr(yaml.load(text, Loader=theirs)), path


@pytest.fixture
def config() -> DictConfig:
    return composed_by_hydra(["model=dsn"], hydra=False)


def test_a_copy_has_flags_and_values_of_its_own(config: DictConfig) -> None:
    copy = deepcopy(config)
    OmegaConf.set_readonly(copy.train, True)
    copy.seed = 77
    assert OmegaConf.is_readonly(copy.train) and not OmegaConf.is_readonly(config.train) and config.seed != 77
    assert copy.train._metadata.object_type is config.train._metadata.object_type


def test_what_hydra_loads_from_its_store_can_be_changed_without_changing_the_store() -> None:
    store = ConfigStore.instance()
    assert deepcopy(store) is store
    store.load("hydra/sweeper/grid.yaml").node.params = {"seed": "1,2"}
    assert store.load("hydra/sweeper/grid.yaml").node.params is None


def test_a_value_that_is_parsed_once_follows_what_it_refers_to() -> None:
    config = OmegaConf.create({"a": 1, "b": "${a} of ${c}", "c": 2})
    assert config.b == "1 of 2"
    config.a = 5
    assert config.b == "5 of 2" and OmegaConf.create({"a": "x", "b": "${a} of ${c}", "c": "y"}).b == "x of y"
