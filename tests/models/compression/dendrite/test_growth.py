"""Growing as a game of scores: what is kept, what is taken back, and when it is over."""

from __future__ import annotations

import json

from models.compression.dendrite.growth import NEVER, Growth, resume_growth
from models.compression.settings.learn import Dendrites


def play(scores: list[float], **options: object) -> tuple[list[bool], Growth]:
    """The verdicts on phases of these scores, beginning at 0.5, until it is over or they are used up."""
    growth, verdicts = Growth(Dendrites(**options), 0.5), []  # type: ignore[arg-type]
    for score in scores:
        if not growth.should_continue():
            break
        verdicts.append(growth.record_score(score))
    return verdicts, growth


def test_a_phase_pays_only_if_it_beats_the_best_so_far() -> None:
    verdicts, growth = play([0.6, 0.6, 0.55, 0.7], tries=9)
    assert verdicts == [True, False, False, True]
    assert (growth.best, growth.count, growth.failures) == (0.7, 2, 0)


def test_min_gain_asks_for_more_than_a_hair() -> None:
    assert play([0.5005, 0.502], min_gain=0.001, tries=9)[0] == [False, True]


def test_growth_ends_after_tries_failures_in_a_row_at_the_maximum_or_after_all_attempts() -> None:
    verdicts, growth = play([0.6, 0.1, 0.7, 0.1, 0.1, 0.9], tries=2)
    assert verdicts == [True, False, True, False, False] and "tries=2" in growth.stop_reason()
    verdicts, growth = play([0.6, 0.7, 0.8], maximum=2)
    assert verdicts == [True, True] and "maximum=2" in growth.stop_reason()
    verdicts, growth = play([0.1, 0.6, 0.1, 0.9], tries=9, attempts=3)
    assert verdicts == [False, True, False] and "attempts=3" in growth.stop_reason()


def test_history_waits_for_no_improvement_and_fixed_counts_epochs() -> None:
    history = Growth(Dendrites(patience=4), 0.5).phase_changes(0.1)
    fixed = Growth(Dendrites(switch="fixed", epochs=7), 0.5).phase_changes(0.1)
    assert history == {"keep_best": True, "lr": 0.1, "patience": 4}
    assert fixed == {"keep_best": True, "lr": 0.1, "patience": NEVER, "epochs": 7}


def test_every_phase_restarts_the_rate_lowered_by_lr_factor() -> None:
    growth, rates = Growth(Dendrites(lr=0.2, lr_factor=0.5, tries=9), 0.5), []
    for score in (0.6, 0.1, 0.7):
        rates.append(growth.phase_changes(9.0)["lr"])
        growth.record_score(score)
    assert rates == [0.2, 0.1, 0.05]


def test_growth_continues_from_its_json() -> None:
    _, growth = play([0.6, 0.1], tries=2)
    again = resume_growth(growth.options, json.loads(json.dumps(growth.state())))
    assert again == growth
    again.record_score(0.1)
    assert not again.should_continue()
