"""The search for lengths on a small model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.backbones.lengths import Lengths
from models.compression.lengths.choice import kept_choice
from models.compression.lengths.search import Found, front_metrics, search_lengths
from models.compression.settings.length_search import LengthSearch
from models.compression.structured.layer_widths import encoder_of
from models.errors import ModelError
from runner.record.metrics import check
from tests.models.compression.lengths.watch import WatchContext, kept_share
from tests.models.helpers import small

SHORT = LengthSearch(population=4, iterations=2, mutations=4, crossovers=4, rows=32, at_most_loss=None)


def searched(cache: Path, options: LengthSearch = SHORT, **changes: Any) -> tuple[Found, WatchContext]:
    watch = WatchContext(cache, kept_share)
    return search_lengths(small(layers=3), watch, options, **changes), watch  # type: ignore[arg-type]


def test_search_ends_with_full_length_and_scores_rise_with_cost(tmp_path: Path) -> None:
    found, watch = searched(tmp_path)
    assert found.choices[-1].lengths == () and found.choices[-1].share == 1.0
    shares, scores = zip(*((one.share, one.score) for one in found.choices))
    assert list(shares) == sorted(shares) and list(scores) == sorted(scores)
    assert all(one.ms is not None and one.ms > 0 for one in found.choices)
    assert set(watch.scored) == {32} and len(watch.scored) == found.tried


def test_equal_seeds_find_equal_lengths_whatever_the_machine(tmp_path: Path) -> None:
    first, other = (WatchContext(tmp_path / name, kept_share, slower=s) for name, s in (("a", 1.0), ("b", 9.0)))
    fronts = [search_lengths(small(layers=3), watch, SHORT) for watch in (first, other)]  # type: ignore[arg-type]
    assert [one.lengths for one in fronts[0].choices] == [one.lengths for one in fronts[1].choices]


@pytest.mark.parametrize("cost", ["macs", "latency"])
def test_the_model_keeps_its_own_lengths(tmp_path: Path, cost: str) -> None:
    network = small(layers=3)
    encoder_of(network).lengths = own = Lengths((0.9, 0.9, 0.9))
    options = LengthSearch(**(vars(SHORT) | {"cost": cost}))
    search_lengths(network, WatchContext(tmp_path, kept_share), options)  # type: ignore[arg-type]
    assert encoder_of(network).lengths is own


def test_the_last_layer_drops_nothing_where_the_readout_needs_one_state(tmp_path: Path) -> None:
    found, _ = searched(tmp_path)
    assert all(one.lengths[-1] == 1.0 for one in found.choices if one.lengths)


def test_absolute_lengths_are_whole_tokens_that_do_not_grow(tmp_path: Path) -> None:
    found, _ = searched(tmp_path, mode="absolute", longest=40)
    for choice in found.choices[:-1]:
        assert all(value == int(value) and 2 <= value <= 40 for value in choice.lengths)
        assert list(choice.lengths) == sorted(choice.lengths, reverse=True)


@pytest.mark.parametrize("method", ["geometric", "greedy", "evolution"])
def test_an_interrupted_search_scores_nothing_twice(tmp_path: Path, method: str) -> None:
    options, states = LengthSearch(**(vars(SHORT) | {"method": method})), list[dict[str, float]]()
    whole, watch = searched(tmp_path, options, keep=lambda scores: states.append(dict(scores)))
    again, second = searched(tmp_path, options, known=states[0])
    assert again.choices == whole.choices
    assert len(second.scored) == len(watch.scored) - len(states[0])


def test_a_search_for_two_layers_of_sixteen_tokens_ends(tmp_path: Path) -> None:
    watch = WatchContext(tmp_path, kept_share)
    options = LengthSearch(iterations=100, rows=32, at_most_loss=None)
    found = search_lengths(small(layers=2), watch, options, mode="absolute", longest=16)  # type: ignore[arg-type]
    assert found.tried <= 16


def test_metrics_of_a_search_are_known_and_say_the_tokens_of_each_layer(tmp_path: Path) -> None:
    found, _ = searched(tmp_path)
    chosen = kept_choice(found.choices, LengthSearch(budget=0.9, at_most_loss=None))
    metrics = front_metrics(found, chosen, "ratio")
    assert all(check(name) for name in metrics)
    assert metrics["length/share"] == chosen.share < 1
    assert metrics["length/tokens_1"] >= metrics["length/tokens_2"] > 0
    assert metrics["length/speedup"] > 1


def test_a_model_without_layers_is_refused(tmp_path: Path) -> None:
    network = small(family="dsn", readout={"name": "mean"})
    with pytest.raises(ModelError):
        search_lengths(network, WatchContext(tmp_path), SHORT)  # type: ignore[arg-type]
