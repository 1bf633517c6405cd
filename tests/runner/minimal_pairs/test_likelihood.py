"""Pseudo-log-likelihoods: hand cases, batches that change nothing, equal sentences computed once."""

from __future__ import annotations

import numpy as np
import pytest

from runner.minimal_pairs.likelihood import copies_of, hidden_with, sentence_scores
from tests.runner.minimal_pairs.toys import MASK, Independent, sentences

A, B, C = 10, 11, 12
TOY = {A: 0.5, B: 0.3, C: 0.2}


class TwoPieces:
    """A word of two pieces a ##b, each likelier where the other is seen."""

    def __call__(self, ids: np.ndarray, places: np.ndarray, pieces: np.ndarray) -> np.ndarray:
        """Return log p of hand-made shares."""
        found = []
        for place, piece in zip(places, pieces):
            row = ids[place // ids.shape[1]]
            other = row[2] if piece == A else row[1]
            found.append({(A, False): 0.8, (A, True): 0.4, (B, False): 0.9, (B, True): 0.3}[piece, other == MASK])
        return np.log(found)


def score(*pieces: int, kind: str = "pll") -> float:
    return float(sentence_scores(sentences([pieces]), Independent(TOY), kind)[0])


def test_the_sum_and_the_mean_of_independent_pieces() -> None:
    assert score(A, B, C) == pytest.approx(-3.506558, abs=1e-6)
    assert score(A, B, C, kind="mean") == pytest.approx(-1.168853, abs=1e-6)


def test_the_sum_prefers_the_shorter_sentence_and_the_mean_the_likelier_pieces() -> None:
    assert (score(A, B, A), score(A, C)) == pytest.approx((-2.590267, -2.302585), abs=1e-6)
    assert (score(A, B, A, kind="mean"), score(A, C, kind="mean")) == pytest.approx((-0.863422, -1.151293), abs=1e-6)


@pytest.mark.parametrize(("kind", "wanted"), [("pll", -0.328504), ("word_l2r", -1.021651), ("word", -2.120264)])
def test_pieces_of_a_word_are_masked_together(kind: str, wanted: float) -> None:
    found = sentence_scores(sentences([[A, B]], [[0, 0]]), TwoPieces(), kind)
    assert found[0] == pytest.approx(wanted, abs=1e-6)


def test_a_whole_word_is_one_copy_and_its_pieces_are_all_asked_for() -> None:
    copies = copies_of(np.array([[0, 0, 1], [0, 1, 1]]), "word")
    assert copies.of.tolist() == [0, 0, 1, 1]
    assert copies.first.tolist() == [0, 2, 0, 1]
    assert copies.item_copy.tolist() == [0, 0, 1, 2, 3, 3]
    hidden = hidden_with(np.array([[0, 0, 1]]), np.array([1]), "word_l2r")
    assert hidden.tolist() == [[False, True, False]]


class Positional:
    """Depends on every piece of the sentence and its place."""

    def __call__(self, ids: np.ndarray, places: np.ndarray, pieces: np.ndarray) -> np.ndarray:
        """Return a number made of the whole row, the place and the piece."""
        rows, columns = np.divmod(places, ids.shape[1])
        weights = np.arange(1, ids.shape[1] + 1)
        return -np.log1p((ids[rows] * weights).sum(1) % 97 + columns + pieces)


MANY = [[A, B, C, A], [C], [A, B, C, A], [B, B, A], [C, A, B, A], [A] * 9, []]


@pytest.mark.parametrize("kind", ["pll", "word_l2r", "word", "mean"])
@pytest.mark.parametrize("tokens", [1, 7, 40, 4096])
def test_a_score_depends_neither_on_batch_mates_nor_on_the_size_of_batches(kind: str, tokens: int) -> None:
    words = [np.arange(len(one)) // 2 for one in MANY]
    together = sentence_scores(sentences(MANY, words), Positional(), kind, tokens=tokens)
    alone = [sentence_scores(sentences([one], [own]), Positional(), kind)[0] for one, own in zip(MANY, words)]
    assert together == pytest.approx(alone, abs=1e-12)


def test_batches_stay_within_the_budget_of_tokens_and_nothing_is_padded() -> None:
    model = Independent(TOY)
    sentence_scores(sentences(MANY), model, "pll", tokens=24)
    assert all(rows * width <= 24 for rows, width in model.shapes)
    assert {width for _, width in model.shapes} == {len(one) + 2 for one in MANY if one}


def test_equal_sentences_are_computed_once_and_progress_ends_at_all_pieces() -> None:
    model, told = Independent(TOY), list[tuple[int, int]]()
    found = sentence_scores(sentences([[A, B]] * 50), model, "pll", tell=lambda done, total: told.append((done, total)))
    assert sum(rows for rows, _ in model.shapes) == 2
    assert len(set(found)) == 1
    assert told[-1] == (100, 100)
