"""One word of a command: parsed, and the values that it stands for."""

from __future__ import annotations

from typing import Any

import pytest

from data.settings import normalize_label_names
from runner.config.compose import groups
from runner.config.overrides import parse_override, problem_of_choice, values_of
from runner.errors import ConfigError


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("seed=1", [1]),
        ("seed=1,2", ["1", "2"]),
        ("""model="dsn",'dsn-32'""", ["dsn", "dsn-32"]),
        ("""compression=[int8],["int4"]""", [["int8"], ["int4"]]),
        ("seed=range(0,3)", ["0", "1", "2"]),
        ("optimizer.lr=interval(0.1,0.5)", [0.1, 0.5]),
        ("compression=[none,int8]", [["none", "int8"]]),
        ("model=glob(dsn-*)", [name for name in groups()["model"] if name.startswith("dsn-")]),
    ],
)
def test_a_word_stands_for_its_values(word: str, expected: list[Any]) -> None:
    override, problem = parse_override(word)
    assert override is not None and problem is None
    assert [str(value) for value in values_of(override)] == [str(value) for value in expected]


def test_a_word_that_is_no_override_says_how_to_quote_it() -> None:
    override, problem = parse_override("data.path=a(b.csv")
    assert override is None and problem is not None and "Quote special characters" in problem


@pytest.mark.parametrize(("word", "quoted"), [
    ("data.label_names=[öfke, sevinç]", """'data.label_names=["öfke","sevinç"]'"""),
    ("data.label_names={öfke: anger}", """'data.label_names="{öfke: anger}"'"""),
])  # fmt: skip
def test_lists_and_mappings_are_quoted_so_that_they_are_read(word: str, quoted: str) -> None:
    override, problem = parse_override(word)
    assert override is None and problem is not None and problem.endswith(f"try: {quoted}")
    again, _ = parse_override(quoted.strip("'"))
    assert again is not None and normalize_label_names(again.value())


@pytest.mark.parametrize("word", ["seed=0,,1", "seed=0,1,", "seed=,0,1"])
def test_an_empty_value_among_several_is_left_out(word: str) -> None:
    override, problem = parse_override(word)
    assert override is None and problem is not None and problem.endswith("Try: seed=0,1")


def test_a_glob_is_for_groups_only() -> None:
    override, _ = parse_override("seed=glob(*)")
    assert override is not None
    with pytest.raises(ConfigError, match="Try a list"):
        values_of(override)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("+experiment=demo", "a choice replaces the default one. Try: run experiment=demo"),
        ("++experiment=demo", "a choice replaces the default one. Try: run experiment=demo"),
        ("model@other=dsn", "a choice replaces the default one. Try: run model=dsn"),
        ("model=glob(zzz*)", "no model has such a name. Choices: auto, "),
        ("optimizer=[adamw,sgd]", "one optimizer in a run. Try: run -m optimizer=adamw,sgd"),
        ("~model", "model cannot be left out"),
    ],
)
def test_how_a_choice_is_written_is_refused_with_the_cure(word: str, said: str) -> None:
    override, _ = parse_override(word)
    assert override is not None and said in str(problem_of_choice(override))


@pytest.mark.parametrize("word", ["model=dsn,bert-tiny", "compression=[int8],[magnitude,int4]", "experiment=[demo]"])
def test_several_choices_and_stages_are_no_mistake(word: str) -> None:
    override, _ = parse_override(word)
    assert override is not None and problem_of_choice(override) is None
