"""Tables of a page: cells sorted by their value, numbers to the right, a list of facts."""

from __future__ import annotations

from runner.report.tables import Cell, Heading, facts, table


def test_cells_keep_what_they_are_sorted_by() -> None:
    made = table(
        ["group", Heading("score", True)], [["a", Cell("0.9", 0.9, "good")], ["b", Cell("")]], is_sortable=True
    )
    assert '<td class="number good" data-value="0.9">0.9</td>' in made and '<td class="number"></td>' in made
    assert '<td data-value="a">a</td>' in made and '<th scope="col" class="number"><button type="button">score<' in made


def test_marked_rows_are_tinted() -> None:
    assert table(["a"], [["x"], ["y"]], marked=[1]).count('<tr class="marked">') == 1


def test_the_rows_of_the_foot_are_not_among_those_that_are_sorted() -> None:
    assert table(["a"], [["x"]], foot=[["y"]]).endswith(
        '</tbody><tfoot><tr><td data-value="y">y</td></tr></tfoot></table></div>'
    )
    assert "tfoot" not in table(["a"], [["x"]])


def test_facts_are_pairs() -> None:
    assert facts([("cpu", "a & b")]) == "<dl><div><dt>cpu</dt><dd>a &amp; b</dd></div></dl>"
