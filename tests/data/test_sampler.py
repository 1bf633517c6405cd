"""Batches: every row once, budgets kept, order a pure function of (seed, epoch)."""

from __future__ import annotations

import numpy as np
import pytest

from data.sampler import epoch_batches, eval_batches

LENGTHS = np.random.default_rng(0).integers(3, 200, 5003)


@pytest.mark.parametrize("options", [{"batch_size": 32}, {"token_budget": 2048}, {"batch_size": 7, "pool_batches": 3}])
def test_every_row_occurs_exactly_once(options: dict[str, int]) -> None:
    rows = np.concatenate(epoch_batches(LENGTHS, seed=1, epoch=2, **options))  # type: ignore[arg-type]
    assert np.array_equal(np.sort(rows), np.arange(len(LENGTHS)))


def test_order_depends_on_seed_and_epoch_and_on_nothing_else() -> None:
    def flat(seed: int, epoch: int) -> list[int]:
        return np.concatenate(epoch_batches(LENGTHS, seed=seed, epoch=epoch, batch_size=32)).tolist()

    np.random.seed(5)
    first = flat(0, 0)
    np.random.random(100)
    assert flat(0, 0) == first
    assert flat(0, 1) != first and flat(1, 0) != first


def test_rows_share_a_batch_with_others_in_every_epoch_and_long_batches_do_not_come_first() -> None:
    alike = np.full(960, 7)
    first, second = ({frozenset(rows.tolist()) for rows in epoch_batches(alike, seed=0, epoch=epoch, batch_size=32)}
                     for epoch in (0, 1))  # fmt: skip
    assert len(first) == 30 and not first & second
    batches = epoch_batches(np.arange(1, 961), seed=0, epoch=0, batch_size=32)
    lengths = np.array([rows.max() for rows in batches])
    assert abs(np.corrcoef(lengths, np.arange(30))[0, 1]) < 0.5


def test_rows_of_a_pool_are_batched_by_length() -> None:
    batches = epoch_batches(LENGTHS[:320], seed=0, epoch=0, batch_size=32, pool_batches=5)
    spread = [np.ptp(LENGTHS[rows]) for rows in batches]
    assert len(batches) == 10 and np.mean(spread) == pytest.approx(200 / 5, rel=0.3), "two pools of five batches"


def test_padded_tokens_stay_within_the_budget_except_for_a_single_longer_row() -> None:
    lengths = np.append(LENGTHS, 5000)
    for rows in epoch_batches(lengths, seed=0, epoch=0, token_budget=1024):
        assert len(rows) * lengths[rows].max() <= 1024 or len(rows) == 1


def test_bucketing_leaves_little_padding() -> None:
    padded = sum(len(rows) * LENGTHS[rows].max() for rows in epoch_batches(LENGTHS, seed=0, epoch=0, batch_size=32))
    assert padded < 1.1 * LENGTHS.sum()  # random batches: about 1.9


def test_batch_sizes_are_equal_but_for_the_last() -> None:
    sizes = sorted(len(rows) for rows in epoch_batches(LENGTHS, seed=0, epoch=0, batch_size=32))
    assert sizes[1:] == [32] * (len(sizes) - 1) and sizes[0] == len(LENGTHS) % 32


def test_evaluation_reads_every_row_once() -> None:
    assert np.array_equal(np.sort(np.concatenate(eval_batches(LENGTHS, batch_size=64))), np.arange(len(LENGTHS)))


def test_one_of_batch_size_and_token_budget_is_needed() -> None:
    with pytest.raises(ValueError, match="one of the two"):
        epoch_batches(LENGTHS, seed=0, epoch=0)


def test_evaluation_can_leave_short_rows_to_batches_of_their_own() -> None:
    lengths = np.array([5, 100, 6, 60, 4, 1])
    found = eval_batches(lengths, batch_size=4, shortest=0.5)
    assert [batch.tolist() for batch in found] == [[1, 3], [2, 0, 4], [5]]
    assert [batch.tolist() for batch in eval_batches(lengths, batch_size=4)] == [[1, 3, 2, 0], [4, 5]]
