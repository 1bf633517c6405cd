"""Translates Hydra's sweep grammar into Optuna's distributions, so that sweeps and searches share one syntax.

choice(16,32,64), or 16,32,64     one of them
range(1,9), range(0,1,0.25)       evenly spaced, the end left out, as everywhere in Hydra
interval(0,0.5)                   any number between
int(interval(8,64))               any whole number between
tag(log,interval(1e-5,1e-2))      any number between, drawn on a logarithmic scale
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from runner.errors import ConfigError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override, RangeSweep, Sweep
    from optuna.distributions import BaseDistribution


def split_overrides(overrides: list[Override]) -> tuple[list[str], dict[str, BaseDistribution]]:
    """Return the overrides that hold for every trial, and the space that is searched; the last of a key counts."""
    fixed: dict[str, str] = {}
    space: dict[str, BaseDistribution] = {}
    for override in overrides:
        key = override.get_key_element()
        fixed.pop(key, None)
        space.pop(key, None)
        only = set(override.sweep_string_iterator()) if override.is_discrete_sweep() else set()
        if len(only) == 1:
            fixed[key] = f"{key}={only.pop()}"
        elif override.is_sweep_override():
            space[key] = distribution(override)
        else:
            fixed[key] = f"{key}={override.get_value_element_as_str()}" if not override.is_delete() else key
    return list(fixed.values()), space


def distribution(override: Override) -> BaseDistribution:
    """Return the distribution of one override that holds several values.

    Raises ConfigError if there is nothing to draw.
    """
    from hydra.core.override_parser.types import IntervalSweep, RangeSweep
    from optuna.distributions import CategoricalDistribution

    sweep: Any = override.value()
    try:
        if isinstance(sweep, IntervalSweep):
            assert sweep.start is not None and sweep.end is not None, "interval() has two arguments"
            return _numbers(sweep, sweep.start, sweep.end)
        if isinstance(sweep, RangeSweep):
            return _evenly_spaced(sweep)
        return CategoricalDistribution(list(override.sweep_string_iterator()))
    except ValueError as error:
        raise ConfigError(
            f"{override.input_line}: {str(error).rstrip('.')}. Try: choice(...) with the values themselves"
        ) from error


def _evenly_spaced(sweep: RangeSweep) -> BaseDistribution:
    """Return the values of a range, counted in decimals: in floats the last one is often no multiple of the step."""
    assert sweep.start is not None and sweep.stop is not None, "range() has an end"
    start, stop, step = (Decimal(str(number)) for number in (sweep.start, sweep.stop, sweep.step))
    count = math.ceil((stop - start) / step) if step else 0
    if count < 1:
        raise ValueError("there is no value in this range")
    low, high = sorted((start, start + (count - 1) * step))
    kind = int if all(isinstance(number, int) for number in (sweep.start, sweep.stop, sweep.step)) else float
    return _numbers(sweep, kind(low), kind(high), kind(abs(step)))


def _numbers(sweep: Sweep, low: float, high: float, step: float | None = None) -> BaseDistribution:
    from optuna.distributions import FloatDistribution, IntDistribution

    log = "log" in sweep.tags
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log, step=int(step or 1))
    return FloatDistribution(low, high, log=log, step=step)
