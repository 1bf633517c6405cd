"""Rounding to evenly spaced levels."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.compression.quantization.grid import Grid, decode, encode, encode_in, find_ranges
from models.errors import ModelError


def rounded(matrix: torch.Tensor, grid: Grid) -> torch.Tensor:
    codes, step, zero = encode(matrix, grid)
    assert int(codes.max()) <= grid.top
    return decode(codes, step, zero, grid)


def normal(rows: int = 24, columns: int = 40, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("per", ["tensor", "row", "group"])
@pytest.mark.parametrize("scheme", ["affine", "symmetric"])
@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_nothing_moves_by_more_than_half_a_step(per: str, scheme: str, bits: int) -> None:
    grid, matrix = Grid(bits, scheme, per, group=16), normal()  # the last group of a row has 8 members
    codes, step, zero = encode(matrix, grid)
    error = (decode(codes, step, zero, grid) - matrix).abs()
    # In an affine grid the zero point is rounded too, which may move the ends of the range by another half.
    reach = 1.0 if scheme == "affine" else 0.5
    assert bool((error <= reach * grid.per_entry(step, 40) * 1.0001).all())
    assert step.shape == grid.ranges(24, 40)


def test_the_formula_of_the_affine_grid() -> None:
    matrix = torch.tensor([[-1.0, 0.0, 0.4, 2.0]])
    codes, step, zero = encode(matrix, Grid(2))
    assert step.item() == 1.0 and zero.item() == 1
    assert codes.tolist() == [[0, 1, 1, 3]]


def test_two_symmetric_bits_have_three_levels() -> None:
    assert rounded(normal(), Grid(2, "symmetric", "tensor")).unique().numel() == 3


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("scheme", ["affine", "symmetric"])
def test_zero_is_exactly_zero(bits: int, scheme: str) -> None:
    matrix = normal()
    matrix[:, ::3] = 0.0
    assert not rounded(matrix, Grid(bits, scheme))[:, ::3].any()


def test_equal_weights_and_zero_rows_survive() -> None:
    matrix = torch.tensor([[0.7, 0.7], [-0.7, -0.7], [0.0, 0.0]])
    torch.testing.assert_close(rounded(matrix, Grid(2)), matrix)
    torch.testing.assert_close(rounded(matrix, Grid(2, "symmetric")), matrix)


def test_clipping_cuts_the_outermost_percent_on_both_sides() -> None:
    matrix = torch.arange(-100.0, 101.0).unsqueeze(0)
    clipped = rounded(matrix, Grid(8, clip=1.0))
    assert clipped.min().item() == pytest.approx(-98, abs=0.5) and clipped.max().item() == pytest.approx(98, abs=0.5)


def test_weights_that_are_not_numbers_are_refused() -> None:
    matrix = normal()
    matrix[3, 3] = torch.nan
    with pytest.raises(ModelError, match="diverged"):
        encode(matrix, Grid(8))


@pytest.mark.parametrize("per", ["row", "group"])
@pytest.mark.parametrize("scheme", ["affine", "symmetric", "ternary"])
def test_rows_of_a_block_share_a_range(per: str, scheme: str) -> None:
    matrix = normal(rows=10, columns=40)  # blocks of 4, 4 and 2 rows
    bits = 2 if scheme == "ternary" else 4
    grid = Grid(bits, scheme, per, group=16, block=4)
    codes, step, zero = encode(matrix, grid)
    assert step.shape == zero.shape == grid.ranges(10, 40) == (3, 3 if per == "group" else 1)
    alone = [encode(matrix[rows : rows + 4], Grid(bits, scheme, per, group=16, block=4))[1] for rows in (0, 4)]
    torch.testing.assert_close(step[:2], torch.cat(alone))
    own = Grid(bits, scheme, "tensor")
    part = matrix[4:8, :16] if per == "group" else matrix[4:8]
    torch.testing.assert_close(step[1, :1], encode(part, own)[1][0])
    found = decode(codes, step, zero, grid)
    assert float((found - matrix).square().mean()) < float(matrix.square().mean()) * (0.35 if bits == 2 else 0.02)


def test_the_step_of_three_levels_has_the_least_squared_error() -> None:
    matrix = normal(rows=1, columns=4000)
    step = float(encode(matrix, Grid(2, "ternary"))[1])

    def error(size: float) -> float:
        return float((matrix - (matrix / size).round().clamp(-1, 1) * size).square().sum())

    assert all(error(step) < error(step * factor) for factor in (0.9, 0.97, 1.03, 1.1))
    assert not encode(torch.zeros(2, 8), Grid(2, "ternary"))[1].any()


WEIGHTS = [[-1.0, -0.3, -0.05, 0.0, 0.12, 0.26, 0.49, 2.0]]


def test_four_even_levels_have_none_at_zero() -> None:
    grid, matrix = Grid(2, "even"), torch.tensor(WEIGHTS)
    step, zero = torch.tensor([[0.4]]), torch.tensor([[grid.middle]])
    codes = encode_in(matrix, step, zero, grid)
    assert (codes - grid.middle).tolist() == [[-1.5, -0.5, -0.5, 0.5, 0.5, 0.5, 1.5, 1.5]]
    error = (decode(codes, step, zero, grid) - matrix).square().mean()
    assert float(error) == pytest.approx(0.276825, abs=1e-6)
    assert torch.equal(decode(codes, step, grid.middle, grid), decode(codes, step, zero, grid))


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_no_weight_moves_by_more_than_half_a_step_in_an_even_grid(bits: int) -> None:
    grid, matrix = Grid(bits, "even", "group", group=16), normal()
    codes, step, zero = encode(matrix, grid)
    error = (decode(codes, step, zero, grid) - matrix).abs()
    assert bool((error <= 0.5 * grid.per_entry(step, 40) * 1.0001).all())
    assert not bits < 4 or decode(codes, step, zero, grid)[0, :16].unique().numel() <= 2**bits


def test_symmetric_rows_and_groups() -> None:
    matrix = torch.tensor([[0.7, -0.35, 0.1, 0.02], [3.0, -1.0, 0.5, 0.24]], dtype=torch.float64)
    for grid, wanted, error in (
        (Grid(4, "symmetric"), [[7, -4, 1, 0], [7, -2, 1, 1]], 0.00799617),
        (Grid(4, "symmetric", "group", 2), [[7, -4, 7, 1], [7, -2, 7, 3]], 0.00295026),
    ):
        codes, step, zero = encode(matrix, grid)
        assert (codes.int() - grid.middle).tolist() == wanted
        moved = (decode(codes, step, zero, grid) - matrix).square().mean()
        assert float(moved) == pytest.approx(error, rel=1e-5)


@pytest.mark.parametrize(
    ("grid", "step", "error"),
    [(Grid(2, "even"), 0.995, 0.119), (Grid(3, "even"), 0.586, 0.0374), (Grid(4, "even"), 0.335, 0.0115)],
)
def test_the_best_of_fourteen_ranges_is_near_the_best_of_all(grid: Grid, step: float, error: float) -> None:
    matrix = normal(rows=60, columns=384)
    codes, found, zero = encode(matrix, replace(grid, fit="least_error"))
    assert float(found.mean()) == pytest.approx(step, rel=0.08)
    assert float((decode(codes, found, zero, grid) - matrix).square().mean()) == pytest.approx(error, rel=0.04)
    wide = encode(matrix, grid)
    assert float((decode(*wide, grid) - matrix).square().mean()) > 1.1 * error


def test_an_outlier_does_not_widen_the_step_of_four_levels() -> None:
    matrix = normal(rows=1, columns=384)
    matrix[0, 0] = 30.0
    grid = Grid(2, "even", fit="least_error")
    assert float(find_ranges(matrix, grid)[0]) < 3.0 < float(find_ranges(matrix, Grid(2, "even"))[0])


def test_steps_in_fp16_are_the_ones_that_a_file_holds() -> None:
    grid, matrix = Grid(3, "even", fit="least_error", half=True), normal()
    codes, step, zero = encode(matrix, grid)
    assert torch.equal(step, step.half().float()) and not torch.equal(step, find_ranges(matrix, Grid(3, "even"))[0])
    assert torch.equal(codes, encode_in(matrix, step.half().float(), zero, grid))


@pytest.mark.parametrize("spread", [0.02, 1.0, 5.0])  # far from 1 in particular: ranges are in units of the weights
@pytest.mark.parametrize("bits", [2, 4])
def test_a_range_of_least_error_is_the_best_of_28_around_zero(bits: int, spread: float) -> None:
    matrix = spread * normal(rows=6, columns=64)
    matrix[:3, 0] *= 20.0  # outliers in half of the rows, so that each kind of candidate is the best in some
    grid = Grid(bits, "symmetric", fit="least_error")
    top = 2 ** (bits - 1) - 1
    wanted = []
    for row in matrix:
        deviation = float(row.square().mean().sqrt())
        ends = [float(row.abs().max()) * (1.0 - 0.04 * place) for place in range(14)]
        ends += [(1.3 + 0.345 * bits) * deviation * (0.67 + 0.73 * place / 13) for place in range(14)]
        steps = [end / top for end in ends]
        wanted.append(min(float(((row / s).round().clamp(-top, top) * s - row).square().sum()) for s in steps))
    found = (rounded(matrix, grid) - matrix).square().sum(1)
    torch.testing.assert_close(found, torch.tensor(wanted), rtol=1e-4, atol=0)


def test_a_step_too_large_for_fp16_is_the_largest_that_a_file_holds() -> None:
    codes, step, _ = encode(torch.tensor([[1e6, -3e5, 0.0]]), Grid(2, "symmetric", half=True))
    assert (float(step), codes.tolist()) == (65504.0, [[3, 1, 2]]) and step.dtype == torch.float32


@pytest.mark.parametrize(
    ("grid", "reach"), [(Grid(4), (0, 15)), (Grid(4, "symmetric"), (1, 15)), (Grid(2, "even"), (-0.5, 3.5))]
)
def test_a_grid_reaches_to_its_outermost_levels_and_an_even_one_to_the_edges_of_their_cells(
    grid: Grid, reach: tuple[float, float]
) -> None:
    assert grid.reach == reach


@pytest.mark.parametrize(
    "grid",
    [
        Grid(2, "ternary", "group", 64),
        Grid(3, "symmetric", "group", 64, fit="least_error", block=5),
        Grid(3, "even", "group", 64, fit="least_error"),
        Grid(4, "affine", "group", 64, clip=5.0),
        Grid(2, "ternary", "row", block=7),
    ],
    ids=["ternary", "least error", "even", "clipped", "blocks"],
)
def test_an_incomplete_last_group_or_block_is_rounded_as_a_matrix_of_its_own(grid: Grid) -> None:
    matrix = normal(24, 80)
    found, width = rounded(matrix, grid), 64 if grid.per == "group" else 80
    height = 24 // grid.block * grid.block
    for rows in (slice(0, height), slice(height, 24)):
        for columns in (slice(0, width), slice(width, 80)):
            if matrix[rows, columns].numel():
                assert torch.equal(found[rows, columns], rounded(matrix[rows, columns].clone(), grid))


@pytest.mark.parametrize("scheme", ["ternary", "affine"])
def test_groups_and_blocks_may_be_far_larger_than_the_matrix(scheme: str) -> None:
    matrix, huge = normal(), 10**12
    whole = rounded(matrix, Grid(2, scheme, "tensor"))
    assert torch.equal(rounded(matrix, Grid(2, scheme, "group", huge, block=huge)), whole)
    assert torch.equal(rounded(matrix, Grid(2, scheme, "row", block=huge)), whole)


@pytest.mark.parametrize("bits", [2, 4])
def test_a_range_of_least_error_scales_both_ends_of_an_affine_grid(bits: int) -> None:
    matrix = normal(rows=6) + 0.5  # not around zero, so that the ends differ
    matrix[:, 0] = 9.0
    plain, best = Grid(bits), Grid(bits, fit="least_error")
    errors = [(rounded(matrix, grid) - matrix).square().sum(1) for grid in (plain, best)]
    assert bool((errors[1] <= errors[0]).all()) and bool((errors[1] < 0.99 * errors[0]).any())
    low, high = matrix.amin(1, keepdim=True), matrix.amax(1, keepdim=True)
    tried = [
        (rounded(matrix.clamp(share * low, share * high), plain) - matrix).square().sum(1)
        for share in (1.0 - 0.04 * place for place in range(14))
    ]
    torch.testing.assert_close(errors[1], torch.stack(tried).amin(0))
