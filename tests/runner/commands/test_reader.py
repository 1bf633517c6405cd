"""The model of a command on data that names none."""

from __future__ import annotations

import pytest

from runner.commands.reader import with_reader


@pytest.mark.parametrize(
    ("data", "model"),
    [("squad", ["model=bert-tiny"]), ("esc10", ["model=tiny-sound"]), ("imdb", []), ("sst2 data.txt=a", [])],
)
def test_a_model_that_reads_the_data_is_chosen_where_the_usual_one_does_not(data: str, model: list[str]) -> None:
    asked = f"data={data}".split()
    assert with_reader(asked) == [*asked, *model]
    assert with_reader([*asked, "model=dsn"]) == [*asked, "model=dsn"]
