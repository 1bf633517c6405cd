"""The rule of runner/compare/verdict.py: its cases, and that noise never helps and a better mean never hurts."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from runner.compare.verdict import (
    NOT_REPRODUCED,
    NOT_TESTABLE,
    REPRODUCED,
    UNDECIDED,
    Published,
    combined_verdict,
    decide_verdict,
)

RANK = {NOT_REPRODUCED: 0, UNDECIDED: 1, REPRODUCED: 2}
MEANS, WIDTHS = np.round(np.linspace(-0.4, 0.4, 33), 3), (0.0, 0.001, 0.01, 0.03, 0.1, 0.5)
VALUES, TOLERANCES = (-0.2, -0.05, 0.0, 0.002, 0.05, 0.2), (0.0, 0.005, 0.05, 0.3)
NONES = (None, 0.0)


def verdict(mean: float, half: float, published: Published) -> int:
    return RANK[decide_verdict(mean, mean - half, mean + half, published)[0]]


def every_claim(*, is_equal: bool) -> list[Published]:
    """Values, differences and ratios (shifted, so that 0 is no difference), in both directions."""
    return [
        Published(value, tolerance, sign, none, is_equal)
        for value, tolerance, sign, none in itertools.product(VALUES, TOLERANCES, (1.0, -1.0), NONES)
    ]


@pytest.mark.parametrize("is_equal", [False, True])
def test_a_narrower_interval_never_turns_a_verdict_into_another_one_unless_it_was_undecided(is_equal: bool) -> None:
    for published in every_claim(is_equal=is_equal):
        for mean, (narrow, wide) in itertools.product(MEANS, itertools.pairwise(WIDTHS)):
            before, after = verdict(mean, wide, published), verdict(mean, narrow, published)
            assert before in (after, RANK[UNDECIDED]), (published, mean, wide, narrow)


def test_a_better_mean_at_equal_width_never_gets_a_worse_verdict() -> None:
    for published in every_claim(is_equal=False):
        ordered = sorted(MEANS, key=lambda mean: published.sign * mean)
        for half, (worse, better) in itertools.product(WIDTHS, itertools.pairwise(ordered)):
            assert verdict(worse, half, published) <= verdict(better, half, published), (published, worse, better, half)


def test_a_mean_nearer_to_the_value_never_gets_a_worse_verdict_of_equality() -> None:
    for published in every_claim(is_equal=True):
        ordered = sorted(MEANS, key=lambda mean: -abs(mean - published.value))
        for half, (farther, nearer) in itertools.product(WIDTHS, itertools.pairwise(ordered)):
            assert verdict(farther, half, published) <= verdict(nearer, half, published), (published, nearer, half)


def test_every_verdict_of_the_rule_is_given_somewhere() -> None:
    """So that the properties above are not those of a constant."""
    for is_equal in (False, True):
        found = {verdict(m, h, p) for p in every_claim(is_equal=is_equal) for m in MEANS for h in WIDTHS}
        assert found == set(RANK.values())


@pytest.mark.parametrize(
    ("mean", "low", "high", "expected"),
    [
        (0.8558, 0.8515, 0.8601, UNDECIDED),  # only its noise reaches 0.860
        (0.8574, 0.8563, 0.8586, NOT_REPRODUCED),
        (0.845, 0.8285, 0.8615, UNDECIDED),
        (0.845, 0.843, 0.847, NOT_REPRODUCED),
        (0.860, 0.860, 0.860, REPRODUCED),
        (0.870, 0.700, 0.999, REPRODUCED),
    ],
)
def test_a_value_is_reproduced_by_its_mean_and_refuted_by_its_interval(
    mean: float, low: float, high: float, expected: str
) -> None:
    assert decide_verdict(mean, low, high, Published(0.865, 0.005))[0] == expected
    mirrored = Published(-0.865, 0.005, sign=-1.0)
    assert decide_verdict(-mean, -high, -low, mirrored)[0] == expected


@pytest.mark.parametrize(
    ("mean", "half", "value", "tolerance", "expected"),
    [
        (0.02, 0.01, 0.02, 0.005, REPRODUCED),
        (0.02, 0.03, 0.02, 0.005, UNDECIDED),  # covers no difference
        (0.02, 0.02, 0.02, 0.005, UNDECIDED),  # ends exactly at no difference
        (0.002, 0.004, 0.02, 0.005, NOT_REPRODUCED),
        (-0.001, 0.0005, 0.002, 0.005, NOT_REPRODUCED),  # within the tolerance, but the others are better
        (0.0, 0.0, 0.002, 0.005, NOT_REPRODUCED),  # the same answers
        (-0.002, 0.01, -0.01, 0.005, REPRODUCED),  # a loss of a point was claimed, there is none
        (-0.012, 0.003, -0.01, 0.005, REPRODUCED),
        (-0.008, 0.01, -0.01, 0.005, UNDECIDED),  # the mean is within a point, but a loss of 1.8 is as likely as none
        (0.0, 0.005, 0.0, 0.005, REPRODUCED),  # no worse
        (0.0, 0.01, 0.0, 0.005, UNDECIDED),  # a loss beyond the tolerance is as likely as a gain
        (0.02, 0.01, 0.0, 0.005, REPRODUCED),
        (-0.02, 0.01, 0.0, 0.005, NOT_REPRODUCED),
    ],
)
def test_a_published_advantage_is_reproduced_only_by_an_advantage(
    mean: float, half: float, value: float, tolerance: float, expected: str
) -> None:
    assert decide_verdict(mean, mean - half, mean + half, Published(value, tolerance, none=0.0))[0] == expected
    ratio = Published(1 - value, tolerance, sign=-1.0, none=1.0)  # of costs
    assert decide_verdict(1 - mean, 1 - mean - half, 1 - mean + half, ratio)[0] == expected


def test_equality_needs_the_whole_interval_within_the_tolerance() -> None:
    same = Published(0.0, 0.005, is_equal=True)
    assert decide_verdict(0.0, -0.004, 0.005, same)[0] == REPRODUCED
    assert decide_verdict(0.0, -0.013, 0.010, same)[0] == UNDECIDED
    assert decide_verdict(0.02, 0.015, 0.025, same)[0] == NOT_REPRODUCED, "better is not equal"


def test_a_number_exactly_at_the_tolerance_is_within_it_although_binary_fractions_round() -> None:
    assert 0.52 - 0.05 > 0.47, "as computed"
    assert decide_verdict(0.47, 0.47, 0.47, Published(0.52, 0.05))[0] == REPRODUCED
    assert decide_verdict(0.47, 0.47, 0.47, Published(0.52, 0.05, is_equal=True))[0] == REPRODUCED
    assert decide_verdict(-0.47, -0.47, -0.47, Published(-0.52, 0.05, sign=-1.0))[0] == REPRODUCED
    assert decide_verdict(0.47, 0.47, 0.47, Published(0.52, 0.05 - 1e-9))[0] == NOT_REPRODUCED


def test_a_claim_of_several_conditions_is_as_good_as_its_worst() -> None:
    assert combined_verdict([REPRODUCED, REPRODUCED]) == REPRODUCED
    assert combined_verdict([REPRODUCED, UNDECIDED]) == UNDECIDED
    assert combined_verdict([UNDECIDED, NOT_TESTABLE, REPRODUCED]) == NOT_TESTABLE
    assert combined_verdict([NOT_TESTABLE, NOT_REPRODUCED, REPRODUCED]) == NOT_REPRODUCED
