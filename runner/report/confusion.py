"""Confusion matrices: a table of counts for few classes, a tinted field and the most frequent errors for many."""

from __future__ import annotations

from collections.abc import Sequence

from runner.report.frame import percent
from runner.report.markup import Markup, join, tag

MOST_NUMBERS = 14  # classes; a larger matrix is drawn without numbers
FULL = 0.7  # share of a row above which its cell is dark enough for light text
MOST_TIPS = 300  # mistakes with a tooltip
MOST_PAIRS = 12  # of a larger matrix, listed beside it


def confusion(names: Sequence[str], counts: Sequence[Sequence[int]]) -> Markup:
    """Return a confusion matrix; counts: (C, C), rows are labels, columns answers.

    The tint of a cell is its share of the row: right answers in one colour, mistakes in another.
    """
    if len(names) > MOST_NUMBERS:
        return tag("div", _field(names, counts), _pairs(names, counts), class_="beside")
    head = tag("tr", tag("th", "label \\ answer", scope="col"), *(tag("th", name, scope="col") for name in names))
    body = join(
        tag("tr", tag("th", names[i], scope="row"), *(_cell(names, i, j, n, sum(row)) for j, n in enumerate(row)))
        for i, row in enumerate(counts)
    )
    return tag("div", tag("table", head, body, class_="confusion"), class_="scroll", tabindex="0", role="region",
               aria_label="confusion matrix")  # fmt: skip


def _cell(names: Sequence[str], i: int, j: int, count: int, total: int) -> Markup:
    share = count / total if total else 0.0
    style = f"{'right' if i == j else 'wrong'}{' full' if share > FULL else ''}"
    return tag(
        "td", f"{count:,}", class_=style, style=f"--share:{share:.3f}", data_tip=_words(names, i, j, count, total)
    )


def _words(names: Sequence[str], i: int, j: int, count: int, total: int) -> str:
    share = f" ({count / total:.1%})" if total else ""
    return f"{count:,} of {total:,} rows labelled {names[i]} were answered {names[j]}{share}"


def _field(names: Sequence[str], counts: Sequence[Sequence[int]]) -> Markup:
    """Return the matrix without numbers; right answers and the most frequent mistakes have tooltips."""
    size = len(names)
    least = sorted((n for i, row in enumerate(counts) for j, n in enumerate(row) if i != j), reverse=True)[:MOST_TIPS]
    cells = []
    for i, row in enumerate(counts):
        total = sum(row)
        for j, count in enumerate(row):
            if not count:
                continue
            has_tip = i == j or count >= max(least[-1], 2)
            cells.append(
                tag("rect", x=percent(j / size), y=percent(i / size), class_="right" if i == j else "wrong",
                    style=f"--share:{count / total:.2f}",
                    data_tip=_words(names, i, j, count, total) if has_tip else None)
            )  # fmt: skip
    drawing = tag("svg", *cells, role="img", aria_label=f"confusion matrix of {size} classes", class_="field",
                  style=f"--size:{percent(1 / size)}")  # fmt: skip
    words = tag("p", "rows: labels, columns: answers, in the order of the classes", class_="quiet")
    return tag("div", drawing, words)


def _pairs(names: Sequence[str], counts: Sequence[Sequence[int]]) -> Markup:
    """Return the most frequent mistakes as a list."""
    wrong = [(n, i, j) for i, row in enumerate(counts) for j, n in enumerate(row) if i != j and n]
    wrong.sort(key=lambda found: -found[0])
    lines = [tag("li", _words(names, i, j, n, sum(counts[i]))) for n, i, j in wrong[:MOST_PAIRS]]
    return tag("div", tag("h3", "Most frequent mistakes"), tag("ol", *lines))
