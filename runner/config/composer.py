"""Composing many configs that differ in plain values only: 0.08 s the first, 0.01 s each further one.

Hydra applies values like `seed=3` last, onto the composed config; so jobs that choose the same options and set the
same keys share all that comes before.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.config.compose import groups, parsed

if TYPE_CHECKING:
    from omegaconf import DictConfig

VALUE = re.compile(r"([a-z_][\w.]*)=[\w.+-]+", re.IGNORECASE)  # no quotes, lists or interpolations


class Composer:
    """Composes jobs with the same result as `load`, Hydra's own function."""

    def __init__(self, load: Callable[[list[str]], DictConfig]) -> None:
        self.load = load
        self._bases: dict[tuple[str, ...], tuple[list[str], bytes]] = {}

    def __call__(self, overrides: list[str]) -> DictConfig:
        """Return the composed config of one job."""
        shape = tuple(_key(word) or word for word in overrides)
        if shape not in self._bases:
            config = self.load(overrides)
            self._bases[shape] = overrides, pickle.dumps(config)
            return config
        words, base = self._bases[shape]
        config = pickle.loads(base)  # noqa: S301 our own, and an eighth of the time of copy.deepcopy
        changed = [new for new, old in zip(overrides, words) if new != old]
        if changed:
            self._apply(config, changed, overrides)
        return config

    def _apply(self, config: DictConfig, changed: list[str], overrides: list[str]) -> None:
        """Set the values that differ from the base, and the entries in which Hydra records the overrides."""
        from hydra._internal.config_loader_impl import get_overrides_dirname
        from omegaconf import OmegaConf

        for word in changed:
            override = parsed(word)
            OmegaConf.update(config, override.key_or_group, override.value(), merge=True)
        form = config.hydra.job.config.override_dirname
        task = [override for word in overrides if not (override := parsed(word)).is_hydra_override()]
        config.hydra.overrides.task = [override.input_line for override in task]
        config.hydra.job.override_dirname = get_overrides_dirname(
            overrides=task, kv_sep=form.kv_sep, item_sep=form.item_sep, exclude_keys=form.exclude_keys
        )


def _key(word: str) -> str | None:
    """Return the key of an override that only sets a plain value of ours; None for any other."""
    found = VALUE.fullmatch(word)
    if found is None or found[1] in groups() or found[1].split(".")[0] == "hydra":
        return None
    return found[1]
