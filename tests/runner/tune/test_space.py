"""Hydra's sweep grammar as Optuna's distributions."""

from __future__ import annotations

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from runner.errors import ConfigError
from runner.tune.space import split_overrides

pytest.importorskip("optuna")


def distribution(word: str) -> Any:
    _, space = split_overrides([OverridesParser.create().parse_override(f"key={word}")])
    return space["key"]


def test_hydras_grammar_becomes_optunas_distributions() -> None:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    assert distribution("interval(0,1)") == FloatDistribution(0, 1)
    assert distribution("tag(log,interval(1e-5,1e-2))") == FloatDistribution(1e-5, 1e-2, log=True)
    assert distribution("int(interval(8,64))") == IntDistribution(8, 64)
    assert distribution("tag(log,int(interval(8,64)))") == IntDistribution(8, 64, log=True)
    assert distribution("range(1,9,3)") == IntDistribution(1, 7, step=3)
    assert distribution("range(0,1,0.25)") == FloatDistribution(0, 0.75, step=0.25)
    assert distribution("dsn,bert-tiny") == CategoricalDistribution(["dsn", "bert-tiny"])
    assert distribution("choice([none],[int8])") == CategoricalDistribution(["[none]", "[int8]"])
    with pytest.raises(ConfigError, match="range\\(5,5\\)"):
        distribution("range(5,5)")


def test_a_range_has_the_values_that_its_grammar_says_whatever_floats_make_of_them() -> None:
    from optuna.distributions import FloatDistribution

    assert distribution("range(0.1,1.0,0.2)") == FloatDistribution(0.1, 0.9, step=0.2)
    assert distribution("range(0.3,0.8,0.1)") == FloatDistribution(0.3, 0.7, step=0.1)
    assert distribution("range(0.9,0.1,-0.2)") == FloatDistribution(0.3, 0.9, step=0.2)
    with pytest.raises(ConfigError, match="no value in this range"):
        distribution("range(5,1)")
    for both in ("tag(log,range(1,9,2))", "tag(log,range(0.1,0.9,0.2))"):
        with pytest.raises(ConfigError, match=r"log.*choice"):
            distribution(both)


def test_a_later_value_of_a_key_replaces_the_search_over_it() -> None:
    words = ["optimizer.lr=interval(1,2)", "seed=range(0,3)", "optimizer.lr=0.1", "+sweep=x"]
    fixed, space = split_overrides(OverridesParser.create().parse_overrides(words))
    assert fixed == ["optimizer.lr=0.1", "+sweep=x"] and list(space) == ["seed"]
