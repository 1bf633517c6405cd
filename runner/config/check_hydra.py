"""Mistakes in the overrides that are Hydra's own: launchers and sweepers, the extras they need, their settings.

Hydra composes these before it starts anything, but its messages name no cure, and its exit code is 1.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from runner.best.settings import BestSettings
from runner.config.check_values import check_field
from runner.config.compose import compose
from runner.config.keys import closest
from runner.config.overrides import values_of
from runner.config.plugins import register_plugins
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.tune.objectives import objective_problems
from runner.tune.settings import SearchSettings

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig

    from runner.schema import Settings

Kind = TypeVar("Kind", SearchSettings, BestSettings)
SEARCH = "hydra/sweeper=optuna"
BEST = "hydra/sweeper=best"
GROUPS = ("hydra/sweeper", "hydra/launcher")
TRIAL = "hydra.sweeper.trial"  # a search sets it for each of its runs
ELSEWHERE = ("hydra/launcher=ray", "hydra/launcher=submitit_slurm")  # may run jobs on other machines

# The module that each choice needs, and the extra that installs it.
EXTRAS = {
    "hydra/sweeper=optuna": ("optuna", "tune"),
    "hydra/launcher=ray": ("hydra_plugins.hydra_ray_launcher", "ray"),
    "hydra/launcher=submitit_local": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "hydra/launcher=submitit_slurm": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
}


def is_search(overrides: list[Override]) -> bool:
    """Does the command search with Optuna?"""
    return _chosen_sweeper(overrides) == SEARCH


def _chosen_sweeper(overrides: list[Override]) -> str | None:
    """Return the choice of a sweeper as one would type it; None if the command has none."""
    return _choice_of("hydra/sweeper", overrides)


def _choice_of(group: str, overrides: list[Override]) -> str | None:
    found = [f"{o.key_or_group}={o.value()}" for o in overrides if o.key_or_group == group]
    return found[-1] if found else None


def check_hydra(overrides: list[Override], multirun: bool) -> list[str]:
    """Return one line for each mistake in the overrides that start with `hydra`."""
    ours = [override for override in overrides if override.key_or_group.startswith("hydra")]
    if not ours:
        return []
    problems = [p for override in ours if override.key_or_group in GROUPS for p in _check_choice(override, multirun)]
    if problems:
        return problems
    words = [override.input_line or "" for override in ours]
    settings = [word for word in words if word.partition("=")[0].lstrip("+~") not in GROUPS]
    known = compose([word for word in words if word not in settings], hydra=True)
    problems += [p for override in ours if (p := _check_key(override, known))]
    if problems:
        return problems
    if is_search(overrides):
        return list(_check_search(words, overrides))
    return list(_check_best(words, overrides)) if _chosen_sweeper(overrides) == BEST else []


def _check_choice(override: Override, multirun: bool) -> Iterator[str]:
    from hydra import initialize_config_module
    from hydra.core.global_hydra import GlobalHydra

    group = override.key_or_group
    if override.is_sweep_override():
        yield f"{override.input_line}: only one of them makes the runs of a command. Try: one value for {group}"
        return
    name = str(override.value())
    choice = f"{group}={name}"
    module, extra = EXTRAS.get(choice, ("", ""))
    if module and not _is_installed(module):
        yield f"{choice} needs the extra `{extra}`, which is not installed. Try: pip install 'bertier[{extra}]'"
        return
    register_plugins()
    with initialize_config_module("conf", version_base="1.3"):
        known = GlobalHydra.instance().config_loader().get_group_options(group)
    if name not in known:
        close = closest(name, known) or known[:1]
        yield f"{choice}: no such {group.split('/')[1]}. Choices: {', '.join(known)}. Try: run -m {group}={close[0]}"
    elif choice in (SEARCH, BEST) and not multirun:
        yield f"{choice} makes several runs. Try: run -m {choice} ..."


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even its parent
        return False


def _check_key(override: Override, known: DictConfig) -> str | None:
    """Return the mistake in a key such as hydra.sweeper.n_trials, given the composed hydra node."""
    from omegaconf import OmegaConf

    key = override.key_or_group
    if key in GROUPS or "/" in key or override.is_add() or override.is_force_add():
        return None
    if override.is_sweep_override():
        return f"{override.input_line}: the settings of a sweep cannot be swept themselves. Try: one value for {key}"
    parent, _, leaf = key.rpartition(".")
    node = OmegaConf.select(known, parent)
    siblings = [f"{parent}.{name}" for name in node] if OmegaConf.is_dict(node) else []
    if key == TRIAL and key in siblings:
        return f"{key} is set by the search itself. Try: run -m hydra.sweeper.n_trials={override.value() or 20}"
    siblings = [name for name in siblings if name != TRIAL]
    if key in siblings:
        return None
    close = closest(leaf, [name.rsplit(".", 1)[1] for name in siblings])
    if not close:
        return f"{key}: no such key. See them all: run --cfg hydra"
    return f"{key}: no such key; did you mean {parent}.{close[0]}? Try: run -m {parent}.{close[0]}=..."


def _check_search(words: list[str], overrides: list[Override]) -> Iterator[str]:
    """Yield a message for each value out of range, and for each objective refused for one of the named datasets."""
    search, wrong = _typed_sweeper(SearchSettings, words)
    yield from wrong
    if search is None:
        return
    if not search.params and not any(override.is_sweep_override() for override in overrides):
        yield "nothing to search: give a key several values. Try: 'optimizer.lr=tag(log,interval(1e-5,1e-2))'"
    seen: list[str] = []
    for settings in _each_dataset(overrides):
        found = objective_problems(
            search.objectives, search.pruner, settings.data, settings.task, is_timed=settings.measure.enabled
        )
        seen += [problem for problem in found if problem not in seen]
    yield from seen


def _check_best(words: list[str], overrides: list[Override]) -> Iterator[str]:
    """Yield a message for each value out of range, each key with several values, and max_us if others time the runs."""
    settings, wrong = _typed_sweeper(BestSettings, words)
    yield from wrong
    launcher = _choice_of("hydra/launcher", overrides)
    if settings is not None and settings.max_us is not None and launcher in ELSEWHERE:
        yield (
            f"max_us={settings.max_us:g} is a time on this machine, but {launcher} may time its runs on others. Try: "
            "without the launcher, or without max_us (max_ms)"
        )
    for override in overrides:
        if override.is_sweep_override():
            yield f"{override.input_line}: `run best` searches for one seed and one dataset. Try: one value"


def _typed_sweeper(kind: type[Kind], words: list[str]) -> tuple[Kind | None, list[str]]:
    """The settings of a sweeper, None if a value is of another type, and one line for each mistake in them."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    composed = compose(words, hydra=True).hydra.sweeper
    given = {key: composed[key] for key in composed if key != "_target_"}
    try:
        found: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), given))
    except OmegaConfBaseException as error:
        key, default = error.key, asdict(kind()).get(str(error.key), "...")
        shown = f"[{','.join(default)}]" if isinstance(default, list) else default
        reason = str(error).splitlines()[0].rstrip(".")
        return None, [
            f"hydra.sweeper.{key}={given.get(key)}: {reason}. Try: run -m {shlex.quote(f'hydra.sweeper.{key}={shown}')}"
        ]
    values = asdict(found)
    return found, [p for key in given if (p := check_field(kind, key, values[key], "hydra.sweeper."))]


def _each_dataset(overrides: list[Override]) -> Iterator[Settings]:
    """Yield the settings that the command fixes, once for each dataset in it.

    Those that do not compose are left out.
    """
    fixed = [o for o in overrides if not o.is_sweep_override() and not o.key_or_group.startswith("hydra")]
    words = [override.input_line or "" for override in fixed if override.key_or_group != "data"]
    datasets = [value for o in overrides if o.key_or_group == "data" for value in values_of(o)]
    for dataset in datasets or [None]:
        try:
            yield resolve(compose([*words, *([f"data={dataset}"] if dataset else [])]))
        except ConfigError:
            continue  # a key that depends on a searched option; each trial is composed and checked later anyway
