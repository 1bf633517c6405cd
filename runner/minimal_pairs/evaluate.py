"""One evaluation from sentences to a report: pieces, scores, baselines, groups, intervals."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from data.errors import DataError
from data.json_types import JsonObject
from data.sources.pair_source import SHOWN
from data.sources.sentence_pairs import Paradigm, read_pairs
from runner.errors import ConfigError
from runner.minimal_pairs.likelihood import sentence_scores
from runner.minimal_pairs.model import open_subject
from runner.minimal_pairs.results import NUMBERS, Line, PairReport, PairTable, Result
from runner.minimal_pairs.sentences import Sentences, encode_sentences
from runner.minimal_pairs.unigrams import piece_counts, unigram_scores
from runner.minimal_pairs.wanted import PARADIGM, Wanted
from runner.record.json_files import now
from runner.record.subject import Subject
from runner.statistics.pair_scores import TIED, macro_share, pair_outcomes, shorter_outcomes

UNKNOWN = 0.05  # share of a paradigm's pairs with [UNK] in only one sentence above which the user is told
EVERY_S = 10.0  # seconds between progress lines

Tell = Callable[[str], None]


def evaluate(subject: Subject, wanted: Wanted, key: JsonObject, cache: Path, tell: Tell) -> Result:
    """Score all pairs with a model; return the report and its pairs.

    key: what the numbers depend on. Raises DataError, ModelError or ConfigError for what cannot be scored.
    """
    opened = open_subject(subject, wanted)
    tell(f"reading the pairs of {wanted.source.name}")
    paradigms = read_pairs(wanted.source, wanted.paradigms, wanted.most, tell)
    start = time.perf_counter()
    sentences = encode_sentences(opened.tokenizer, [*_texts(paradigms)], wanted.score)
    refuse_without_pieces(sentences, paradigms)
    refuse_too_long(sentences, paradigms, opened.positions)
    scores = sentence_scores(sentences, opened, wanted.score, tell=_progress(tell))
    if lost := int(np.isnan(scores).sum()):
        raise ConfigError(
            f"{subject.label}: its scores of {lost:,} of {len(scores):,} sentences are not numbers (nan), as of "
            "weights that diverged. Try: another model"
        )
    counts = piece_counts(subject.record, opened.tokenizer, cache, tell)
    bag = None if isinstance(counts, str) else unigram_scores(sentences, counts)
    table = pair_table(paradigms, sentences, scores, bag, are_means=wanted.score == "mean")
    groups = group_lines(paradigms, table, _halves(sentences.unknown))
    notes = [f"no unigram control: {counts}"] if isinstance(counts, str) else []
    notes += [
        f"{line.name}: {line.unknown:.1%} of the pairs have an unknown token in only one sentence"
        for line in groups[PARADIGM]
        if line.unknown > UNKNOWN
    ]
    report = PairReport(
        key, wanted.name, subject.label, wanted.source.name, wanted.score, groups.pop("")[0], groups, wanted.most,
        sum(one.total for one in paradigms), identical_pairs(paradigms, sentences), notes,
        round(time.perf_counter() - start, 3), now(), subject.record.started if subject.record else None,
    )  # fmt: skip
    return report, table


def _texts(paradigms: Sequence[Paradigm]) -> list[str]:
    """Return all good sentences, then all bad ones."""
    return [text for side in ("good", "bad") for one in paradigms for text in vars(one)[side]]


def _halves(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of all sentences as those of the good and of the bad ones, (N,) each."""
    return values[: len(values) // 2], values[len(values) // 2 :]


def _progress(tell: Tell) -> Callable[[int, int], None]:
    """Report from time to time how many pieces were scored, and how long the rest will take."""
    begin = last = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal last
        moment = time.monotonic()
        if moment - last >= EVERY_S:
            last = moment
            left = (moment - begin) / max(1, done) * (total - done)
            tell(f"{done:,} of {total:,} pieces, {left:,.0f} s left")

    return report


def refuse_without_pieces(sentences: Sentences, paradigms: Sequence[Paradigm]) -> None:
    """Raise DataError for sentences without tokens, such as zero-width spaces alone.

    The empty sum of logarithms is 0, higher than the score of any other sentence.
    """
    if not (bare := np.flatnonzero(np.minimum(*_halves(sentences.lengths)) == 0)).size:
        return
    rows = [f"{one.name} row {row}" for one in paradigms for row in one.rows]
    shown = ", ".join(rows[pair] for pair in bare[:SHOWN]) + (", ..." if len(bare) > SHOWN else "")
    raise DataError(
        f"{len(bare)} of {len(rows):,} pairs have a sentence in which the tokenizer finds no piece ({shown}), so it "
        "has no score. Fix or remove these rows"
    )


def refuse_too_long(sentences: Sentences, paradigms: Sequence[Paradigm], positions: int) -> None:
    """Raise DataError for sentences that are longer than the model's positions."""
    lengths = np.maximum(*_halves(sentences.lengths)) + len(sentences.frame)
    if not (too_long := np.flatnonzero(lengths > positions)).size:
        return
    rows = [(one.name, row) for one in paradigms for row in one.rows]
    shown = ", ".join(f"{rows[pair][0]} row {rows[pair][1]}: {lengths[pair]} tokens" for pair in too_long[:SHOWN])
    raise DataError(
        f"{len(too_long)} of {len(rows):,} pairs are longer than the {positions} positions of the model ({shown}). "
        "Shorten or remove these rows"
    )


def identical_pairs(paradigms: Sequence[Paradigm], sentences: Sentences) -> list[str]:
    """Return the pairs whose pieces are the same, as `paradigm row`; they are ties for every model."""
    rows = [f"{one.name} {row}" for one in paradigms for row in one.rows]
    good, bad = sentences.pieces[: len(rows)], sentences.pieces[len(rows) :]
    return [row for row, first, second in zip(rows, good, bad) if np.array_equal(first, second)]


def pair_table(
    paradigms: Sequence[Paradigm], sentences: Sentences, scores: np.ndarray, bag: np.ndarray | None, *,
    are_means: bool = False,
) -> PairTable:  # fmt: skip
    """Return scores and outcomes of all pairs.

    scores, bag: of all sentences, the good ones first; bag: of unigrams. are_means: are the scores means over pieces,
    for which the tolerance of a tie is that of a single piece?
    """
    good, bad = _halves(scores)
    first, second = _halves(sentences.lengths)
    longer = np.maximum(first, second)
    unigrams = np.full(len(good), np.nan) if bag is None else pair_outcomes(*_halves(bag), longer)
    values = (
        np.concatenate([one.rows for one in paradigms]), good, bad, first, second,
        pair_outcomes(good, bad, 1.0 if are_means else longer), shorter_outcomes(first, second), unigrams,
    )  # fmt: skip
    names = np.repeat([one.name for one in paradigms], [len(one) for one in paradigms])
    return PairTable(names, dict(zip(NUMBERS, values)))


def group_lines(
    paradigms: Sequence[Paradigm], table: PairTable, unknown: tuple[np.ndarray, np.ndarray]
) -> dict[str, list[Line]]:
    """Return the lines by paradigm and by each column that groups them; the line of all is under "".

    unknown: (N,) bool, does the good or the bad sentence have an unknown token?
    """
    one_alone = PairTable(table.paradigm, {"unknown": (unknown[0] != unknown[1]).astype(np.float64)})
    columns = {name: table.by_paradigm(name) for name in ("outcome", "shorter", "unigrams")}
    columns["unknown"] = one_alone.by_paradigm("unknown")
    found = {"": [_line("all", columns)]}
    for by in (PARADIGM, *dict.fromkeys(column for one in paradigms for column in one.groups)):
        members: dict[str, list[str]] = {}
        for one in paradigms:
            members.setdefault(one.name if by == PARADIGM else one.groups.get(by, "none"), []).append(one.name)
        found[by] = [
            _line(name, {column: {one: values[one] for one in inside} for column, values in columns.items()})
            for name, inside in members.items()
        ]
    return found


def _line(name: str, columns: dict[str, dict[str, np.ndarray]]) -> Line:
    """Return the means over the paradigms in `columns`, which has outcome, shorter, unigrams and unknown."""
    outcomes = columns["outcome"]
    means = {column: float(np.mean([one.mean() for one in values.values()])) for column, values in columns.items()}
    ties = float(np.mean([(one == TIED).mean() for one in outcomes.values()]))
    share, unigrams = macro_share(outcomes), means["unigrams"]
    return Line(
        name, list(outcomes), sum(map(len, outcomes.values())), share.mean, share.low, share.high, ties,
        means["shorter"], None if np.isnan(unigrams) else unigrams, means["unknown"],
    )  # fmt: skip
