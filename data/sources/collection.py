"""Judged queries and their candidates as rows: pairs of texts in an Arrow table, with four numbers per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DataError
from data.labels import Labels
from data.sources.raw import RawSplit
from data.sources.trec import Line
from data.targets.relevance import MOST_QUERIES

if TYPE_CHECKING:
    import pyarrow as pa

MOST_UNKNOWN = 0.01  # maximum share of judgements or candidates with ids that no query or document has
FEW_COVERED = 0.5  # a smaller share of relevant documents among the candidates is worth a warning
SHOWN = 3  # ids in a message

QUERY, DOCUMENT = "_query", "_document"  # columns with the ids
Judged = Mapping[str, Mapping[str, float]]  # by query and document: a label, or a score


@dataclass
class Collection:
    """The texts of a test collection, and notes for the user."""

    queries: dict[str, str]
    documents: dict[str, str]
    notes: list[str] = field(default_factory=list)

    def known(self, lines: Sequence[Line], where: str, what: str) -> list[Line]:
        """Return the lines whose query and document exist; DataError if more than 1 % name unknown ones.

        what: judgements or candidates.
        """
        unknown = [line for line in lines if line.query not in self.queries or line.document not in self.documents]
        if not unknown:
            return list(lines)
        names = dict.fromkeys(
            f"document {line.document!r}" if line.query in self.queries else f"query {line.query!r}" for line in unknown
        )
        shown = ", ".join(list(names)[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
        said = f"{where}: {len(unknown):,} of {len(lines):,} {what} name texts that do not exist ({shown})"
        if len(unknown) > MOST_UNKNOWN * len(lines):
            raise DataError(
                f"{said}; at most 1 % may. Do the ids belong together? Try: data.queries=... data.corpus=... with "
                "the same ids"
            )
        self.notes.append(f"{said}, and were left out")
        gone = {(line.query, line.document) for line in unknown}
        return [line for line in lines if (line.query, line.document) not in gone]


@dataclass
class Ranked:
    """The rows of a split, grouped by query and within one sorted by document id as a string, descending."""

    queries: list[str] = field(default_factory=list)  # ids, one per row
    documents: list[str] = field(default_factory=list)
    numbers: list[tuple[float, bool, float, int]] = field(default_factory=list)  # gain, candidate?, first score, query
    source_rows: list[int] = field(default_factory=list)  # lines of the candidates, or of the judgements

    def labels(self) -> Labels:
        """Return the four numbers of each row, (rows, 4) float32."""
        return Labels(np.array(self.numbers, np.float32).reshape(-1, 4))


def by_query(lines: Sequence[Line]) -> dict[str, dict[str, Line]]:
    """Return lines by query and document, with queries in the order of their first line."""
    found: dict[str, dict[str, Line]] = {}
    for line in lines:
        found.setdefault(line.query, {})[line.document] = line
    return found


def ranked_rows(
    judgements: Sequence[Line], candidates: Sequence[Line], relevant_from: float, where: str, notes: list[str]
) -> Ranked:
    """Return the rows of the judged queries: all candidates, and other documents that are relevant or have a gain.

    Queries without a relevant document are left out. where: the split's name in messages; notes: notes for the user are
    added here. Raises DataError if no relevant document is a candidate.
    """
    judged, found = by_query(judgements), by_query(candidates)
    ranked, left_out, relevant, covered, judged_others, others = Ranked(), 0, 0, 0, 0, 0
    for query, labels in judged.items():
        mine = found.get(query, {})
        good = {name for name, line in labels.items() if line.value >= relevant_from}
        if not good:
            left_out += 1
            continue
        relevant, covered = relevant + len(good), covered + len(good & mine.keys())
        others += len(mine.keys() - good)
        judged_others += len((mine.keys() - good) & labels.keys())
        gains = {name for name, line in labels.items() if line.value > 0}
        for name in sorted(mine.keys() | good | gains, reverse=True):
            label, line = labels.get(name), mine.get(name)
            gain = max(label.value, 0.0) if label else 0.0
            number = len(ranked.numbers) and int(ranked.numbers[-1][3]) + (ranked.queries[-1] != query)
            ranked.numbers.append((gain, line is not None, line.value if line else 0.0, number))
            ranked.queries.append(query)
            ranked.documents.append(name)
            ranked.source_rows.append(line.number if line else label.number if label else 0)
    tell(notes, where, left_out, len(judged), relevant, covered, judged_others, others)
    if ranked.numbers and ranked.numbers[-1][3] >= MOST_QUERIES:
        raise DataError(f"{where}: more than {MOST_QUERIES:,} queries. Use fewer")
    return ranked


def tell(
    notes: list[str], where: str, left_out: int, queries: int, relevant: int, covered: int, judged: int, others: int
) -> None:
    """Add notes on a split for the user; DataError if no relevant document is a candidate.

    left_out: how many of the `queries` have no relevant document; covered: how many of the `relevant` documents are
    candidates; judged: how many of the `others`, the candidates that are not relevant, have a judgement.
    """
    if left_out:
        notes.append(f"{where}: {left_out:,} of {queries:,} judged queries have no relevant document, and are left out")
    if relevant and not covered:
        raise DataError(
            f"{where}: none of the {relevant:,} relevant documents is a candidate. Are the ids of the queries and the "
            "documents the same in both? Try: another data.candidates or data.qrels"
        )
    if not relevant:
        raise DataError(
            f"{where}: no query has a relevant document. Try: a lower data.relevant_from, or other judgements"
        )
    share = covered / relevant
    if share < FEW_COVERED:
        notes.append(
            f"{where}: only {share:.1%} of the {relevant:,} relevant documents are candidates, a ceiling that no order "
            "of them can exceed"
        )
    if others and judged < others:
        notes.append(
            f"{where}: {judged:,} of the {others:,} candidates that are not relevant are judged; the others count "
            "as negatives"
        )


def raw_split(ranked: Ranked, collection: Collection) -> RawSplit:
    """Return the rows as a split in which each text is stored only once."""
    import pyarrow as pa

    table = pa.table(
        {
            "text": _texts(ranked.queries, collection.queries),
            "text_pair": _texts(ranked.documents, collection.documents),
            QUERY: pa.array(ranked.queries, pa.string()).dictionary_encode(),
            DOCUMENT: pa.array(ranked.documents, pa.string()).dictionary_encode(),
        }
    )
    numbers = np.array(ranked.source_rows, np.int64)
    return RawSplit(table, ranked.labels(), np.arange(len(numbers)), numbers)


def _texts(ids: Sequence[str], texts: Mapping[str, str]) -> pa.DictionaryArray:
    """Return the text of each id."""
    import pyarrow as pa

    distinct = {name: number for number, name in enumerate(dict.fromkeys(ids))}
    codes = np.fromiter((distinct[name] for name in ids), np.int32, len(ids))
    return pa.DictionaryArray.from_arrays(codes, pa.array([texts[name] for name in distinct], pa.large_string()))
