"""Colours stand for the values of a setting that varies; few groups have a colour each."""

from __future__ import annotations

from runner.compare.colours import MOST, OTHER, Colouring, colour_groups
from runner.compare.groups import make_groups
from runner.compare.select import Run
from tests.records import a_record, record_json


def groups_of(*settings: dict[str, object]) -> Colouring:
    """The colours of one group for each of these settings, as {model: name} and {optimizer: {lr: value}}."""
    runs = []
    for i, own in enumerate(settings):
        config = record_json()["config"] | own
        runs.append(Run(a_record(config=config, identity=f"{i:010}"), folder=__file__))  # type: ignore[arg-type]
    return colour_groups(make_groups(runs))


def settings(model: str, lr: float) -> dict[str, object]:
    return {"model": {"name": model}, "optimizer": {"lr": lr}}


def test_few_groups_have_a_colour_each() -> None:
    found = groups_of(*(settings("dsn", lr) for lr in (1.0, 2.0, 3.0)))
    assert found.of == [0, 1, 2] and found.setting is None and found.title == ""


def test_many_groups_have_the_colours_of_the_first_setting_with_few_values() -> None:
    found = groups_of(*(settings(model, lr) for model in ("dsn", "bert") for lr in range(5)))
    assert (found.title, found.names, found.of) == ("model", ["dsn", "bert"], [0] * 5 + [1] * 5)
    found = groups_of(*(settings(f"m{i}", lr) for i in range(9) for lr in (2.0, 0.5)))
    assert found.title == "optimizer.lr" and found.names == ["0.5", "2"], "numbers by size"


def test_many_numbers_are_coloured_by_ranges() -> None:
    found = groups_of(*(settings("dsn", float(i)) for i in range(16, 0, -1)))
    assert found.names == [f"{i} to {i + 1}" for i in range(1, 17, 2)] and found.title == "optimizer.lr"
    assert found.of == [(i - 1) // 2 for i in range(16, 0, -1)]


def test_of_many_other_values_the_rare_ones_share_a_colour() -> None:
    found = groups_of(*(settings(f"m{i}", 1.0) for i in range(12)))
    assert len(found.names) == MOST and found.names[-1] == OTHER and found.of == [*range(7), 7, 7, 7, 7, 7]
