"""Mistakes in data.added_tokens: each is one line with its cure."""

from __future__ import annotations

import pytest

from runner.config.check import check_overrides


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["data.added_tokens=['a b']"], """'a b' is empty or has a space in it. Try: 'data.added_tokens=["[NAME]"]'"""),
        (["data.added_tokens=['']"], "'' is empty"),
        (["data.added_tokens=['[A]','[A]']"], "[A] is given twice"),
        (["data.added_tokens=[USER,'@USER']"], "USER is part of @USER"),
        ([f"data.added_tokens=[{','.join(f'x{number:02}' for number in range(51))}]"], "has 51 texts, but at most 50"),
        (["task=tags", "data.demo_task=tags", "data.added_tokens=[x]"], "task=tags reads words"),
        (["model=tiny-sound", "data=esc10", "data.added_tokens=[x]"], "gives sounds"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(words: list[str], message: str) -> None:
    model = [] if "model=tiny-sound" in words else ["model=bert-tiny", "data=demo"]
    assert message in "\n".join(check_overrides([*model, *words]))


def test_names_in_brackets_are_accepted() -> None:
    assert check_overrides(["model=bert-tiny", "data=demo", "data.added_tokens=['[NAME]','[RELIGION]']"]) == []
