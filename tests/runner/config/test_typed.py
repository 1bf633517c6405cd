"""Dataclasses of plain values are those that OmegaConf makes of them, at once or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from models.compression.settings import METHODS
from runner.config import typed as module
from runner.config.compose import compose
from runner.config.typed import of_type, typed


@dataclass
class Inner:
    share: float = 0.5
    kind: str = "a"


@dataclass
class Outer:
    seed: int = 0
    rate: float | None = None
    names: list[str] = field(default_factory=list)
    part: dict[str, Any] = field(default_factory=lambda: {"name": "table"})
    phases: dict[str, Inner] = field(default_factory=dict)
    inner: Inner = field(default_factory=Inner)
    whatever: Any = None
    is_on: bool = False


def by_omegaconf(kind: Any, values: dict[str, Any]) -> Any:
    return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), values))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where OmegaConf is asked."""
    monkeypatch.setattr(OmegaConf, "structured", lambda _kind: pytest.fail("it is not made at once"))


VALUES: list[dict[str, Any]] = [
    {},
    {"seed": 3, "rate": 1, "names": ["x", "y"], "is_on": True, "whatever": [1, {"a": None}]},
    {"part": {"name": "hash", "buckets": 7}, "inner": {"share": 1}, "phases": {"one": {"kind": "b"}, "two": {}}},
    {"part": {"buckets": 7}, "rate": None},
]


@pytest.mark.parametrize("values", VALUES)
def test_values_of_the_right_types_are_made_at_once(values: dict[str, Any], request: pytest.FixtureRequest) -> None:
    expected = by_omegaconf(Outer, values)
    request.getfixturevalue("at_once")
    made = typed(Outer, values)
    assert made == expected and repr(made) == repr(expected)  # 1.0 and not 1


@pytest.mark.parametrize("values", [{"seed": "3"}, {"names": [1, 2]}, {"rate": "1e-3"}, {"is_on": "yes"}])
def test_what_can_be_converted_is_converted_as_omegaconf_does(values: dict[str, Any]) -> None:
    assert repr(typed(Outer, values)) == repr(by_omegaconf(Outer, values))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"seed": 1.5}, "could not be converted to Integer"),
        ({"sede": 1}, "Key 'sede' not in 'Outer'"),
        ({"inner": {"shares": 1}}, "Key 'shares' not in 'Inner'"),
        ({"inner": 3}, "Inner"),
        ({"seed": None}, "Incompatible value 'None'"),
        ({"seed": True}, "could not be converted to Integer"),
        ({"phases": {"one": {"share": "much"}}}, "could not be converted to Float"),
    ],
)
def test_what_is_wrong_is_said_by_omegaconf(values: dict[str, Any], said: str) -> None:
    with pytest.raises(OmegaConfBaseException, match=said):
        typed(Outer, values)


def test_the_mark_of_a_missing_value_leaves_the_default() -> None:
    assert typed(Outer, {"inner": {"kind": "???"}}).inner == Inner()


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (int, 3, 3), (float, 3, 3.0), (float | None, None, None), (str, "", ""), (list[int], [1, 2], [1, 2]),
        (list[float] | None, [1], [1.0]), (dict[str, Any], {"a": [1]}, {"a": [1]}), (Inner, {"share": 1}, Inner(1.0)),
    ],
)  # fmt: skip
def test_a_value_that_has_a_type_is_left_and_an_int_may_be_a_float(hint: Any, value: Any, expected: Any) -> None:
    assert repr(of_type(hint, value)) == repr(expected)


@pytest.mark.parametrize(
    ("hint", "value"),
    [(int, True), (int, 3.0), (float, "3"), (str, "???"), (str, 3), (list[int], [1, "2"]), (dict[str, str], {"a": 1})],
)
def test_a_value_of_another_type_is_left_to_omegaconf(hint: Any, value: Any) -> None:
    with pytest.raises(TypeError):
        of_type(hint, value)


def test_a_dataclass_shares_no_list_and_no_mapping_with_what_it_is_made_of() -> None:
    values: dict[str, Any] = {"names": ["x"], "part": {"name": "hash"}}
    made = typed(Outer, values)
    made.names.append("y")
    made.part["name"] = "other"
    assert values == {"names": ["x"], "part": {"name": "hash"}} and Outer().part == {"name": "table"}


@pytest.mark.parametrize("stage", ["distil", "movement", "int8", "exits", "length"])
def test_the_settings_of_a_stage_are_made_at_once(stage: str, request: pytest.FixtureRequest) -> None:
    options = OmegaConf.to_container(compose([f"compression=[{stage}]"]).compression[stage], resolve=False)
    assert isinstance(options, dict)
    options = {str(key): 0.1 if str(value).startswith("${") else value for key, value in options.items()}
    options = {key: "some/teacher" if value == "???" else value for key, value in options.items()}
    kind = METHODS[options["method"]]
    expected = by_omegaconf(kind, options)
    request.getfixturevalue("at_once")
    assert module.typed(kind, options) == expected
