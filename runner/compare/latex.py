"""A comparison as a LaTeX table for a paper: booktabs, everything escaped, the best score of each part in bold.

run compare data=imdb --format latex > table.tex        # \\usepackage{booktabs}, then \\input{table}
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from runner.compare.baselines import baseline_levels
from runner.compare.columns import Column, columns_of_tests, comparison_columns
from runner.compare.figures import Part, parts_of
from runner.compare.rows import Comparison, Row
from runner.record.baseline import MARK
from runner.record.metrics import direction
from runner.record.run_names import ABSENT, naming_keys, shown_setting
from runner.sanitize import visible

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$", "\n": " ", "\t": " ", "[": "{[}", "]": "{]}", "*": "{*}",
}  # fmt: skip
LEFT_OUT = {
    "group",
    "metric",
    "trained",
    "deployed",
    "± sd",
    "± seeds",
    "± examples",
    "ONNX ms",
    "ONNX int8 ms",
    "train s",
    "Pareto",
}
LAST_LATIN = 0x17F  # pdflatex prints letters up to here, and stops at others
MOST_KEYS = 4  # settings with a column of their own
TITLES = {"95 %": r"95\,\% interval", "deployed MB": "MB", "answer us": r"$\mu$s", "p Holm": "$p$"}


def latex(comparison: Comparison, title: str, question: str | None) -> str:
    """Return the table as text that can be included in a paper; it needs only booktabs."""
    shown = [column for column in comparison_columns(comparison) if column.title not in LEFT_OUT]
    tested = [column for column in columns_of_tests(comparison.rows) if column.title in ("difference", "p Holm")]
    shown += tested if comparison.baseline else []
    keys = _naming(comparison)
    titles = [escape_latex(key.removesuffix(".name")) for key in keys] or [""]
    head = " & ".join([*titles, *(_title(column) for column in shown)])
    body = [line for part in parts_of(comparison) for line in _part(part, shown, keys)]
    label = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "comparison"
    lines = [
        "% needs \\usepackage{booktabs}",
        r"\begin{table}[t]",
        r"\centering\small",
        rf"\caption{{{_caption(comparison, shown, title, question)}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{{'l' * len(titles)}{'r' * len(shown)}}}",
        r"\toprule",
        head.lstrip() + r" \\",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    if any(ord(letter) > LAST_LATIN for line in lines for letter in line):
        lines.insert(1, "% has letters that are not Latin: compile with lualatex or xelatex, and a font that has them")
    return "\n".join(lines) + "\n"


def escape_latex(text: str) -> str:
    """Return text as LaTeX prints it; control characters are spelled out first, and "--" stays two hyphens."""
    return "".join(SPECIAL.get(letter, letter) for letter in visible(text)).replace("--", "-{}-")


def _title(column: Column) -> str:
    """Return the title of a column: test/accuracy becomes accuracy (test)."""
    split, slash, score = column.title.partition("/")
    return TITLES.get(column.title) or escape_latex(f"{score.replace('_', ' ')} ({split})" if slash else column.title)


def _caption(comparison: Comparison, shown: Sequence[Column], title: str, question: str | None) -> str:
    """Return what the table shows, and what its columns mean."""
    data = " and ".join(dict.fromkeys(str(group.settings.get("data.name")) for group in comparison.groups))
    what = [title.removesuffix(".") + ".", question or ""] if comparison.selection.sweep else [f"Comparison on {data}."]
    titles = {column.title for column in shown}
    meanings = {
        "95 %": rf"95\,\% intervals: {'; '.join(_kinds_of_intervals(comparison.rows))}.",
        "deployed MB": "MB: all files that an answer needs.",
        "answer us": r"$\mu$s: median time from a string to its label, one at a time on one thread.",
        "p Holm": f"Differences are from {escape_latex(comparison.baseline or '')}, $p$ is corrected for all tests.",
    }
    told = [sentence for name, sentence in meanings.items() if name in titles]
    return " ".join([*(escape_latex(part) for part in what if part), *told, "Bold: the best score."])


def _kinds_of_intervals(rows: Sequence[Row]) -> list[str]:
    """Return in words what the intervals of the rows are over."""
    found = [row.intervals for row in rows]
    of_one = "with one seed " if any(one.seeds for one in found) else "with one fold " * any(one.folds for one in found)
    kinds = {
        "over seeds and examples": any(one.seeds and one.examples for one in found),
        "over seeds": any(one.seeds and not one.examples for one in found),
        "over folds, corrected for training rows that overlap": any(one.folds for one in found),
        f"{of_one}over the examples": any(one.examples and not one.seeds and not one.folds for one in found),
    }
    return [words for words, is_there in kinds.items() if is_there]


def _naming(comparison: Comparison) -> list[str]:
    """Return the settings whose values name the groups, a column each; none if the groups' own names are better."""
    groups = comparison.groups
    keys = naming_keys([one.settings for one in groups], [one.runs[0].record.overrides for one in groups])
    return keys if len(keys) <= MOST_KEYS else []


def _names(row: Row, keys: Sequence[str]) -> list[str]:
    """Return the cells that name a row: the value of each setting, marked where its runs have learned nothing."""
    found = [shown_setting(key, row.group.settings) for key in keys] or [row.group.name]
    found = ["--" if text == ABSENT else text for text in found]
    return [found[0] + (f" ({MARK})" if row.at_baseline else ""), *found[1:]]


def _part(part: Part, shown: Sequence[Column], keys: Sequence[str]) -> list[str]:
    """Return the lines of one dataset and metric: a rule, its name, its groups, then its baselines."""
    best = _best(part)
    lines = [r"\midrule"]
    if part.label:
        lines.append(
            rf"\multicolumn{{{len(shown) + max(len(keys), 1)}}}{{l}}{{\emph{{{escape_latex(part.label)}}}}} \\"
        )
    for row in part.rows:
        cells = [_number(column.cell(row)) for column in shown]
        scores = [i for i, column in enumerate(shown) if column.title in (part.metric, "score")]
        for i in scores if row is best else ():
            cells[i] = rf"\textbf{{{cells[i]}}}"
        lines.append(_line([*map(escape_latex, _names(row, keys)), *cells]))
    for name, value in baseline_levels(part.rows):
        cells = [f"{value:.4f}" if column.title in (part.metric, "score") else "" for column in shown]
        lines.append(_line([escape_latex(name), *[""] * (len(keys) - 1), *cells]))
    return lines


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _best(part: Part) -> Row | None:
    """Return the row with the best score, None if no row has one or lower and higher mean nothing."""
    sign = {"higher": 1.0, "lower": -1.0}.get(direction(part.metric))
    scored = [row for row in part.rows if row.mean is not None and row.mean == row.mean]
    return max(scored, key=lambda row: (sign or 0.0) * float(row.mean or 0.0)) if scored and sign else None


def _number(text: str) -> str:
    """Return a cell with a number, an interval or a bound; a minus and a range get their own signs."""
    if found := re.fullmatch(r"(-?[\d.]+)-(-?[\d.]+)", text):
        return f"{_number(found[1])}--{_number(found[2])}"
    if found := re.fullmatch(r"([+-][\d.]+) to ([+-][\d.]+)", text):
        return f"{_number(found[1])} to {_number(found[2])}"
    return re.sub(r"^-(?=\d)", "$-$", escape_latex(text))
