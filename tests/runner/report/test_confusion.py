"""Confusion matrices: counts for few classes, a field and a list of mistakes for many."""

from __future__ import annotations

from runner.report.charts import confusion


def test_few_classes_show_their_counts() -> None:
    made = confusion(["<neg>", "pos"], [[90, 10], [0, 1000]])
    assert "&lt;neg&gt;" in made and ">90</td>" in made and ">1,000</td>" in made
    assert "10 of 100 rows labelled &lt;neg&gt; were answered pos (10.0%)" in made
    assert made.count('class="right') == 2 and made.count('class="wrong') == 2


def test_a_class_without_rows_divides_by_nothing() -> None:
    assert "0 of 0 rows labelled b were answered a" in confusion(["a", "b"], [[1, 0], [0, 0]])


def test_many_classes_list_their_most_frequent_mistakes_first() -> None:
    names = [f"c{i}" for i in range(30)]
    counts = [[50 if i == j else 0 for j in range(30)] for i in range(30)]
    counts[3][7], counts[9][1] = 5, 25
    made = confusion(names, counts)
    assert made.count("<rect") == 32, "only cells with rows"
    assert made.index("<li>25 of 75 rows labelled c9 were answered c1 (33.3%)</li>") < made.index(
        "<li>5 of 55 rows labelled c3"
    )
