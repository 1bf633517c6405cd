"""Reports: learned agreement, groups, identical pairs, unknown tokens, sentences that are too long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.sources.sentence_pairs import Paradigm
from runner.errors import ConfigError
from runner.minimal_pairs import evaluate as evaluate_module
from runner.minimal_pairs.evaluate import evaluate, group_lines, identical_pairs, pair_table
from runner.minimal_pairs.likelihood import sentence_scores
from runner.minimal_pairs.results import Line, PairReport, PairTable
from runner.minimal_pairs.unigrams import unigram_scores
from runner.minimal_pairs.wanted import Wanted, pair_source
from runner.record.subject import Subject
from tests.runner.minimal_pairs.toys import UNK, Independent, pairs_file, sentences


def asked(model: Path, path: Path, **changes: str | None) -> tuple[PairReport, PairTable]:
    source = replace(pair_source("files"), path=str(path), **changes)  # type: ignore[arg-type]
    wanted = Wanted(source, most=None, device="cpu", threads=1)
    return evaluate(Subject(str(model), "toy"), wanted, {}, path.parent, lambda _: None)


def test_a_model_that_learned_agreement_prefers_it_in_sentences_that_it_did_not_see(
    learned: Path, untrained: Path, pairs: Path
) -> None:
    report, _ = asked(learned, pairs, group="kind")
    assert report.whole.accuracy > 0.9 and report.whole.low > 0.8
    assert [(line.name, line.pairs) for line in report.groups["paradigm"]] == [("short", 24), ("long", 48)]
    assert asked(untrained, pairs)[0].whole.accuracy < 0.75


def test_swapped_columns_give_one_minus_the_accuracy_exactly(learned: Path, pairs: Path) -> None:
    report, table = asked(learned, pairs)
    swapped, _ = asked(learned, pairs, good="bad", bad="good")
    assert swapped.whole.accuracy == pytest.approx(1 - report.whole.accuracy, abs=1e-12)
    assert table.numbers["row"].tolist() == list(range(2, 74))


def test_identical_pairs_are_ties_and_named(learned: Path, tmp_path: Path) -> None:
    path = pairs_file(
        tmp_path / "same.csv", [("the dogs run .", "the  dogs run ."), ("the dog runs .", "the dog run .")]
    )
    report, table = asked(learned, path)
    assert report.identical == ["same 2"]
    assert report.whole.ties == 0.5 and table.numbers["outcome"][0] == 0.5


def test_a_sentence_beyond_the_positions_is_refused_with_its_row(learned: Path, tmp_path: Path) -> None:
    path = pairs_file(tmp_path / "long.csv", [("the dogs run .", "the dogs runs ."), ("the " * 15 + "dogs", "dogs")])
    with pytest.raises(DataError, match=r"1 of 2 pairs are longer than the 16 positions .*long row 3: 18 tokens"):
        asked(learned, path)


def test_a_sentence_without_pieces_does_not_win_with_a_sum_of_nothing(learned: Path, tmp_path: Path) -> None:
    path = pairs_file(tmp_path / "bare.csv", [("the dogs run .", "the dogs runs ."), ("the dogs run .", "\u200b")])
    with pytest.raises(
        DataError, match=r"1 of 2 pairs have a sentence in which the tokenizer finds no piece \(bare row 3"
    ):
        asked(learned, path)


def test_scores_that_are_no_numbers_are_not_counted_as_wrong(
    learned: Path, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = np.array([0.0] * 143 + [np.nan])
    monkeypatch.setattr(evaluate_module, "sentence_scores", lambda *_, **__: lost)
    with pytest.raises(ConfigError, match=r"toy: its scores of 1 of 144 sentences are not numbers"):
        asked(learned, pairs)


def two_paradigms() -> list[Paradigm]:
    rows = [1, 2, 3, 4]
    return [
        Paradigm("order", ["g"] * 4, ["b"] * 4, rows, 4, {"field": "syntax"}),
        Paradigm("length", ["g"] * 4, ["b"] * 4, rows, 9, {"field": "syntax"}),
        Paradigm("words", ["g"] * 4, ["b"] * 4, rows, 4, {"field": "semantics"}),
    ]


GOOD = [[10, 11, 12]] * 4 + [[10, 11]] * 4 + [[10, 11]] * 2 + [[10, UNK]] * 2
BAD = [[12, 11, 10]] * 4 + [[10, 11, 11]] * 4 + [[10, 12]] * 4
SHARES = {10: 0.5, 11: 0.3, 12: 0.2, UNK: 0.1}


def lines() -> dict[str, list[Line]]:
    both = sentences(GOOD + BAD)
    scores = sentence_scores(both, Independent(SHARES), "pll")
    counts = np.zeros(20)
    counts[[10, 11, 12]] = 50, 30, 20
    table = pair_table(two_paradigms(), both, scores, unigram_scores(both, counts))
    return group_lines(two_paradigms(), table, (both.unknown[:12], both.unknown[12:]))


def test_a_model_without_word_order_has_exactly_one_half_where_the_pieces_are_the_same() -> None:
    order, length, words = lines()["paradigm"]
    assert (order.accuracy, order.low, order.high, order.ties, order.unigrams) == (0.5, 0.5, 0.5, 1.0, 0.5)
    assert (length.accuracy, length.shorter, length.ties) == (1.0, 1.0, 0.0)
    assert (words.accuracy, words.shorter, words.unknown) == (0.5, 0.5, 0.5)


def test_a_tie_of_means_is_within_the_rounding_of_one_piece() -> None:
    both = sentences([[0, 1, 2, 3], [0, 1, 2, 4]])
    pair, scores = [Paradigm("one", ["a"], ["b"], [1], 1)], np.array([-2.0, -2.000003])
    found = [
        pair_table(pair, both, scores, None, are_means=means).numbers["outcome"].tolist() for means in (True, False)
    ]
    assert found == [[1.0], [0.5]]


def test_groups_are_means_over_their_paradigms() -> None:
    found = lines()
    assert [(line.name, line.accuracy, line.pairs, line.members) for line in found["field"]] == [
        ("syntax", 0.75, 8, ["order", "length"]), ("semantics", 0.5, 4, ["words"]),
    ]  # fmt: skip
    assert found[""][0].accuracy == pytest.approx(2 / 3)


def test_a_model_that_prefers_the_good_sentence_has_every_pair_of_any_length() -> None:
    both = sentences(GOOD + BAD)
    table = pair_table(two_paradigms(), both, np.repeat([-1.0, -2.0], 12), None)
    assert table.numbers["outcome"].tolist() == [1.0] * 12
    assert np.isnan(table.numbers["unigrams"]).all()
    assert identical_pairs(two_paradigms(), sentences(GOOD + GOOD))[:2] == ["order 1", "order 2"]
