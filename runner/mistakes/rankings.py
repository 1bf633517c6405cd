"""The queries with the worst rankings: which document is first, and the rank of the first relevant one."""

from __future__ import annotations

import numpy as np

from runner.mistakes.answered import Answered
from runner.mistakes.page import shortened
from runner.mistakes.plain import CsvLine, Plain
from runner.mistakes.run_data import RunData
from runner.record.run_names import name_of
from runner.report.page import Section
from runner.report.tables import Cell, Heading, Row, table
from runner.statistics.answers import Answers
from runner.statistics.rank_scores import RANK_SCORES, RankScore

SHOWN = 50
COLUMNS = (
    "what", "split", "query", "score", "first relevant", "relevant", "candidates", "first document",
    "relevant document",
)  # fmt: skip
NONE = "none"  # of the relevant documents is a candidate


def analyse_rankings(answered: Answered, run_data: RunData | None) -> Plain:
    """Return the findings about the queries of a split."""
    name = answered.record.data.primary.partition("/")[2]
    chosen = RANK_SCORES[name]
    score = chosen if isinstance(chosen, RankScore) else RANK_SCORES["map"]
    assert isinstance(score, RankScore)
    values = score.by_query(answered.answers)
    worst = np.argsort(values, kind="stable")[:SHOWN]
    written = [_line(answered.answers, int(query), float(values[query]), answered.split, run_data) for query in worst]
    zero, half = int((values == 0).sum()), float((values > 0.5).mean())
    sentences = [
        f"Mean {score.name} {values.mean():.4g} over {len(values):,} queries: {zero:,} have 0, "
        f"{half:.1%} more than 0.5."
    ]
    lacking = sum(line[2] == NONE for line in written)
    if lacking:
        sentences.append(f"Of the {len(written)} worst, {lacking} have no relevant document among their candidates.")
    lines: list[CsvLine] = [("worst query", answered.split, *line) for line in written]
    lead = f"{len(values):,} queries of {answered.split}, {answered.answers.items:,} documents"
    return Plain(
        f"Errors of {name_of(answered.record)}", lead, sentences, [_section(written, score.name)], COLUMNS, lines
    )


def _line(
    answers: Answers, query: int, value: float, split: str, run_data: RunData | None
) -> tuple[str | int | float, ...]:
    """Return the query, its score, the rank of the first relevant document, two counts, and two documents."""
    assert answers.offsets is not None
    rows = np.arange(answers.offsets[query], answers.offsets[query + 1])
    found = rows[np.asarray(answers["retrieved"], bool)[rows]]
    order = found[np.argsort(-np.asarray(answers["prediction"], np.float64)[found], kind="stable")]
    relevant = np.asarray(answers["relevant"], bool)
    hits = np.flatnonzero(relevant[order])
    place: str | int = int(hits[0]) + 1 if len(hits) else NONE
    good = rows[relevant[rows]]
    shown = [order[0] if len(order) else rows[0], order[hits[0]] if len(hits) else good[0] if len(good) else rows[0]]
    asked, documents = f"query {query + 1}", ["", ""]
    if run_data:
        cells = run_data.rows.raw.splits[split].read(np.array(shown))
        asked, documents = cells["text"][0], cells["text_pair"]
    return asked, float(f"{value:.4g}"), place, int(relevant[rows].sum()), len(found), *documents


def _section(found: list[tuple[str | int | float, ...]], score: str) -> Section:
    titles: list[Heading | str] = [
        "query", *(Heading(name, True) for name in (score, "first relevant", "relevant", "candidates")), "ranked first",
        "relevant document",
    ]  # fmt: skip
    lines: list[Row] = [
        [Cell(shortened(str(asked)), style="text"), *(Cell(str(number), number) for number in numbers),
         Cell(shortened(str(first)), style="text"), Cell(shortened(str(good)), style="text")]
        for asked, *numbers, first, good in found
    ]  # fmt: skip
    told = [f"The {len(found)} queries with the lowest score; a document ranked first may itself be relevant."]
    return Section("Worst queries", table(titles, lines, is_sortable=True), "mistakes", told)
