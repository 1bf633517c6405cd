"""A column has one role: a label that is also read as a text is refused before anything is trained."""

from __future__ import annotations

import pytest

from runner.config.check import check_overrides

FILE = ["data=files", "data.path=reviews.csv"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["data.text=label"], "data.label=label: data.text is that column already. Try: data.label=<another column>"),
        (["data.text_pair=label"], "data.label=label: data.text_pair is that column already. Try: data.label="),
        (["data.text_pair=text"], "data.text_pair=text: data.text is that column already. Try: data.text_pair="),
        (["task=tags", "data.tokens=words", "data.tags=words"], "data.tags=words: data.tokens is that column already"),
        (["task=tags", "data.tokens=words", "data.tags=[pos,pos]"], "data.tags=pos: data.tags is that column already"),
        (["data.audio=label", "model=tiny-sound"], "data.label=label: data.audio is that column already"),
    ],
)
def test_a_column_in_two_roles_is_one_message(words: list[str], message: str) -> None:
    (found,) = [line for line in check_overrides([*FILE, *words]) if "that column already" in line]
    assert found.startswith(message)


@pytest.mark.parametrize(
    "words",
    [
        ["data.text=review", "data.label=stars"],
        ["task=mlm", "data.text=label"],
        ["data.text=label", "data.labels=[fun,sad]"],
        ["task=tags", "data.tokens=0", "data.tags=-1"],
    ],
)
def test_columns_of_their_own_are_fine(words: list[str]) -> None:
    assert "that column already" not in "\n".join(check_overrides([*FILE, *words]))
