"""Iterative stratification: parts of the wanted sizes in which every label has its share."""

from __future__ import annotations

import numpy as np

from data.groups import STAYS
from data.iterative import cut_sets, deal, deal_groups


def members_of(rows: int, shares: list[float], seed: int = 0) -> np.ndarray:
    found: np.ndarray = np.random.default_rng(seed).random((rows, len(shares))) < np.array(shares)
    return found


def test_a_cut_has_the_wanted_rows_and_each_label_its_share() -> None:
    members = members_of(1000, [0.5, 0.1, 0.02, 0.005])
    rest, taken = cut_sets(members, 100, seed=0)
    assert len(taken) == 100 and np.array_equal(np.sort(np.concatenate([rest, taken])), np.arange(1000))
    for label in members.T:
        assert abs(label[taken].sum() - label.sum() / 10) <= 1
        assert label[rest].any()


def test_the_only_row_of_a_label_stays_in_train() -> None:
    members = np.zeros((20, 2), bool)
    members[3, 1] = True
    for seed in range(5):
        assert 3 in cut_sets(members, 5, seed)[0]


def test_the_same_seed_cuts_the_same_rows_and_another_one_others() -> None:
    members = members_of(200, [0.3, 0.2])
    cuts = [cut_sets(members, 40, seed)[1].tolist() for seed in (0, 0, 1)]
    assert cuts[0] == cuts[1] != cuts[2]


def test_folds_have_even_shares_of_every_label() -> None:
    members = members_of(500, [0.4, 0.05])
    fold = deal(members.astype(int), np.full(5, 100), seed=0)
    assert np.bincount(fold).tolist() == [100] * 5
    counts = np.stack([members[fold == one].sum(0) for one in range(5)])
    assert (np.ptp(counts, axis=0) <= 1).all()


def test_rows_of_a_group_stay_together_and_some_are_never_cut_off() -> None:
    members, groups = members_of(300, [0.4, 0.1]), np.arange(300) // 3
    groups[:6] = STAYS
    found = deal_groups(members, np.array([200, 94]), 0, groups)
    assert (found[:6] == STAYS).all()
    assert all(len(set(found[groups == group].tolist())) == 1 for group in np.unique(groups))
    rest, taken = cut_sets(members, 60, 0, groups)
    assert 50 <= len(taken) <= 63 and set(range(6)) <= set(rest.tolist())


def test_groups_of_rare_labels_are_shared_out_before_the_others() -> None:
    groups = np.arange(300) // 3
    members = np.stack([groups % 10 == 0, groups % 20 == 1], axis=1)  # of 10 and of 5 groups
    for seed in range(5):
        found = deal_groups(members, np.full(5, 60), seed, groups)
        counts = np.stack([members[found == part].sum(axis=0) for part in range(5)])
        assert counts.tolist() == [[6, 3]] * 5, "two and one of the groups in each part"
