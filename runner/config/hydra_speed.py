"""Lets Hydra and OmegaConf compose the same config in less time: what never changes is not parsed or copied again.

Some of their functions are replaced in this process; tests compare the configs with those of the originals.
"""

from __future__ import annotations

import pickle
from collections import defaultdict
from copy import deepcopy
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra._internal.config_repository import IConfigRepository
    from hydra._internal.defaults_list import Overrides

PARSED = 10_000  # values whose interpolations are kept parsed


def speed_up_hydra() -> None:
    """Make composing take three quarters of the time, and half of it from the second config of a process on."""
    parse_with_libyaml()
    read_files_once()
    merge_beginnings_once()
    make_maps_when_read()
    copy_metadata_by_field()
    share_the_store()
    parse_interpolations_once()


def parse_with_libyaml() -> None:
    """Let OmegaConf parse YAML with libyaml where PyYAML has it, in an eighth of the time."""
    import yaml
    from omegaconf import _utils

    if not yaml.__with_libyaml__:
        return
    slow = yaml.SafeLoader  # OmegaConf derives its own loader from this name
    vars(yaml)["SafeLoader"] = yaml.CSafeLoader
    try:
        loader = _utils.get_yaml_loader()
    finally:
        vars(yaml)["SafeLoader"] = slow
    _utils.get_yaml_loader = lambda: loader


def read_files_once() -> None:
    """Let Hydra read each of its files and of those in conf/ once a process: it reads some 40 of them for every config.

    The user's own files are read each time. Methods are replaced and not classes, which Slurm's launcher sends to its
    jobs by name.
    """
    from hydra._internal.config_repository import ConfigRepository
    from hydra.core.object_type import ObjectType
    from hydra.plugins.config_source import ConfigResult

    files: dict[tuple[str, ...], bytes] = {}
    load = ConfigRepository.load_config

    def load_config(self: ConfigRepository, config_path: str) -> ConfigResult | None:
        searched = [f"{source.scheme()}://{source.path}" for source in self.get_sources()]
        if any(folder.startswith("file:") for folder in searched):
            source = self._find_object_source(config_path, ObjectType.CONFIG)
            if source is None or source.scheme() == "file":
                return load(self, config_path)
            searched = [f"{source.scheme()}://{source.path}"]
        place = config_path, *searched
        if place not in files:
            found = load(self, config_path)
            if found is None:
                return None  # sweeps are registered later
            files[place] = pickle.dumps(found)
        copy: ConfigResult = pickle.loads(files[place])  # noqa: S301 our own; copy.deepcopy takes eight times as long
        return copy  # the caller changes it

    ConfigRepository.load_config = load_config  # type: ignore[method-assign]


def merge_beginnings_once() -> None:
    """Let Hydra start from the state that another config of this process had after merging the same files.

    Configs of the same model and of different data share all files before those of the data. The state after the last
    file that two configs share is kept. Not done if the user's own folders are searched.
    """
    from hydra._internal.config_loader_impl import ConfigLoaderImpl as Loader
    from hydra.core.default_element import ResultDefault
    from omegaconf import DictConfig, OmegaConf, flag_override
    from omegaconf.errors import OmegaConfBaseException

    merge_all = Loader._compose_config_from_defaults_list
    seen: set[tuple[str, ...]] = set()  # the beginnings of all lists of files so far
    kept: dict[tuple[str, ...], bytes] = {}

    def merge(self: Loader, defaults: list[ResultDefault], repo: IConfigRepository) -> DictConfig:
        if any(source.scheme() == "file" for source in repo.get_sources()):
            return merge_all(self, defaults, repo)
        files = tuple(map(repr, defaults))
        beginnings = [files[:end] for end in range(1, len(files) + 1)]
        done = max((len(beginning) for beginning in beginnings if beginning in kept), default=0)
        config = pickle.loads(kept[files[:done]]) if done else OmegaConf.create()  # noqa: S301 our own
        common = sum(beginning in seen for beginning in beginnings)
        try:
            for end in (common, len(files)):
                with flag_override(config, "no_deepcopy_set_nodes", True):
                    for default in defaults[done:end]:
                        config.merge_with(self._load_single_config(default, repo).config)
                if end > done:
                    kept[files[:end]] = pickle.dumps(config)
                    done = end
        except OmegaConfBaseException:
            return merge_all(self, defaults, repo)  # its message names the file
        seen.update(beginnings)
        remove_defaults(config)
        return config

    def remove_defaults(node: object) -> None:
        """Remove the lists of defaults that Hydra's own typed configs bring, as it does at the end."""
        if isinstance(node, DictConfig) and not node._is_missing() and not node._is_none():
            if node._get_flag("HYDRA_REMOVE_TOP_LEVEL_DEFAULTS"):
                with flag_override(node, ["readonly", "struct"], False):
                    node._set_flag("HYDRA_REMOVE_TOP_LEVEL_DEFAULTS", None)
                    node.pop("defaults", None)
            for _, value in node.items_ex(resolve=False):
                remove_defaults(value)

    Loader._compose_config_from_defaults_list = merge  # type: ignore[method-assign]


def make_maps_when_read() -> None:
    """Let Hydra make the table of all choices only for a defaults list with an interpolation, which alone reads it.

    It makes one for each of some 30 files of a config, which is a fifth of the time of composing.
    """
    from hydra._internal import defaults_list
    from hydra.core.default_element import InputDefault
    from omegaconf import DictConfig, OmegaConf

    make, nothing = defaults_list._create_interpolation_map, OmegaConf.create()

    def make_if_read(overrides: Overrides, defaults_list: list[InputDefault], self_added: bool) -> DictConfig:
        is_read = any(default.is_interpolation() for default in defaults_list)
        return make(overrides, defaults_list, self_added) if is_read else nothing

    defaults_list._create_interpolation_map = make_if_read


def copy_metadata_by_field() -> None:
    """Let OmegaConf copy each value's metadata field by field, as most fields never change.

    Composing copies some thousand values several times each, and the general way takes a sixth of its time.
    """
    from omegaconf.base import Metadata

    def copied(self: Metadata, memo: dict[int, object]) -> Metadata:
        new = object.__new__(type(self))
        vars(new).update(vars(self))
        new.flags = dict(self.flags or {})
        new.resolver_cache = deepcopy(self.resolver_cache, memo) if self.resolver_cache else defaultdict(dict)
        return new

    Metadata.__deepcopy__ = copied  # type: ignore[attr-defined]


def share_the_store() -> None:
    """Let Hydra copy only what it loads from its store of configs, not the whole store for each config."""
    from hydra.core.config_store import ConfigStore

    ConfigStore.__deepcopy__ = lambda self, _memo: self  # type: ignore[attr-defined]


def parse_interpolations_once() -> None:
    """Let OmegaConf parse each value with an interpolation once per process; the result is only read."""
    from omegaconf import base

    base.parse = lru_cache(PARSED)(base.parse)
