"""All probes of a task: the penalty that suits a layer, and an interval over rows and seeds."""

from __future__ import annotations

import numpy as np
import pytest

from runner.probing import probe
from runner.probing.fits import PENALTIES, bits_per_label, by_sentence, fit_all, interval, options_of
from runner.probing.probe import ProbeOptions
from runner.probing.wanted import SENTEVAL
from tests.runner.probing.rows import SAID, SILENT, made_splits


def test_every_layer_has_its_penalty_and_every_seed_its_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "EVALUATIONS", 20)  # enough for 300 rows of eight numbers
    rows = made_splits()
    found = fit_all(rows, 2, "linear", (0, 1))
    assert found.is_right.shape == (2, 2, 300)
    assert {one.penalty for one in found.options} <= set(PENALTIES)
    assert found.accuracy[SAID] > 0.97 > 0.7 > found.accuracy[SILENT]
    bits = bits_per_label(rows, 2, 0, [ProbeOptions(penalty=penalty) for penalty in PENALTIES])
    assert bits[SAID] < 0.5 < 0.9 < bits[SILENT]


def test_the_interval_holds_that_over_rows_and_that_over_seeds() -> None:
    row = np.arange(100) < 80
    alone = interval(row[None])
    assert np.allclose(alone, (0.711, 0.867), atol=0.001), "Wilson's, of one seed"
    apart = interval(np.array([np.arange(100) < 70, np.arange(100) < 90]))
    assert apart[0] < alone[0] and apart[1] > alone[1]


def test_the_grid_of_senteval_is_whole_and_many_classes_have_no_hidden_layer() -> None:
    grid = options_of("mlp", SENTEVAL, 6)
    assert len({(one.width, one.dropout, one.penalty) for one in grid}) == 3 * 3 * 4
    assert {one.form for one in grid} == {"mlp"} and {one.batch for one in grid} == {64}
    assert {one.evaluations * one.passes for one in grid} == {200}, "passes over the rows at most"
    assert [(one.form, one.penalty) for one in options_of("mlp", SENTEVAL, 1000)] == [
        ("linear", penalty) for penalty in (1e-5, 1e-4, 1e-3, 1e-2)
    ]


def test_from_many_options_the_first_seed_chooses_and_all_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "EVALUATIONS", 1)
    found = fit_all(made_splits(), 2, "mlp", (0, 1), SENTEVAL)
    assert found.is_right.shape == (2, 2, 300) and found.accuracy[SAID] > 0.8
    assert all(one.form == "mlp" for one in found.options)


def test_words_of_one_sentence_count_as_fewer_and_their_mean_stays() -> None:
    sentences = np.repeat(np.arange(50), 8)
    together = np.repeat(np.arange(50) < 40, 8)  # all words of a sentence are right, or none is
    low, high = interval(together[None], sentences)
    alone = interval((np.arange(50) < 40)[None])
    assert np.allclose((low, high), alone), "as many rows as sentences"
    assert by_sentence(together * 1.0, sentences).mean() == pytest.approx(together.mean())
    uneven = np.array([1.0, 0.0, 0.0, 1.0])
    assert by_sentence(uneven, np.array([0, 0, 0, 1])).tolist() == [0.5, 0.5]
