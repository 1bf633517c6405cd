"""Heat maps: numbers as text, tints within their range, and no number where there is none."""

from __future__ import annotations

from runner.report.charts import Heat, heat_map


def test_every_cell_has_its_number_and_its_tint() -> None:
    rows: dict[str, list[Heat | None]] = {
        "<pos>": [Heat("0.90", 0.8, "layer 0 of <pos>"), None],
        "depth": [Heat("0.1", -2.0, "a"), Heat("1", 7.0, "b")],
    }
    made = heat_map(["0", "1"], rows, corner="task \\ layer", name="accuracy by layer")
    assert "&lt;pos&gt;" in made and 'data-tip="layer 0 of &lt;pos&gt;"' in made and "<td>-</td>" in made
    assert made.count('class="right full"') == 2 and "--share:0.800" in made
    assert "--share:0.000" in made and "--share:1.000" in made, "no tint is beyond its ends"
    assert 'aria-label="accuracy by layer"' in made and "task \\ layer" in made
