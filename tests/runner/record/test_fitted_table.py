"""Columns give way by their rank, never names."""

from __future__ import annotations

import io

from rich.console import Console

from runner.record.fitted_table import Column, fitted_table, fitting

NAMES = Column("run", 0, ["model=dsn", "x" * 60], is_name=True)
SCORES = Column("score", 0, ["0.9", "0.8"])
SMALL, LARGE = Column("MB", 2, ["1.00", ""]), Column("us", 1, ["1,000", "2"])


def printed(columns: list[Column], width: int) -> list[str]:
    stream = io.StringIO()
    Console(file=stream, width=width).print(fitted_table("a [red]title[/red]", columns, width, [0])[0])
    return stream.getvalue().splitlines()


def test_columns_go_by_their_rank_and_stay_in_their_order() -> None:
    columns = [NAMES, SCORES, SMALL, LARGE]
    assert [column.title for column in fitting(columns, 200)] == ["run", "score", "MB", "us"]
    assert [column.title for column in fitting(columns, 43 + 8 + 8)] == ["run", "score", "us"]
    assert [column.title for column in fitting(columns, 10)] == ["run", "score"], "of rank 0, whatever the room"


def test_a_table_is_never_wider_than_its_terminal_and_a_long_name_goes_on_below() -> None:
    for width in (30, 50, 80):
        lines = printed([NAMES, SCORES, SMALL, LARGE], width)
        assert max(map(len, lines)) <= width and sum(line.count("x") for line in lines) == 60


def test_empty_columns_are_left_out_and_markup_is_text() -> None:
    lines = printed([Column("run", 0, ["[red]a longer name[/red]"], is_name=True), Column("MB", 1, [""])], 80)
    assert "a [red]title[/red]" in " ".join(map(str.strip, lines)) and any(
        "[red]a longer name[/red]" in line for line in lines
    )
    assert not any("MB" in line for line in lines)
