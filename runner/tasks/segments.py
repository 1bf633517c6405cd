"""Softmax within groups of items that lie end to end, such as the tokens of a window or the candidates of a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def segment_log_softmax(values: Tensor, groups: Tensor, count: int) -> Tensor:
    """Return log softmax(values) over the items of each group, in float32 and in the shape of `values`.

    values: (N,) or (N, C), each column on its own. groups: (N,) int64, which of `count` groups an item is in; groups
    may have any number of items, in any order.
    """
    values = values.float()
    index = groups.view(-1, *[1] * (values.dim() - 1)).expand_as(values)
    shape = (count, *values.shape[1:])
    # The largest value of a group only keeps exp from overflowing; the result does not depend on it.
    peak = values.detach().new_full(shape, float("-inf")).scatter_reduce(0, index, values.detach(), "amax")
    shifted = values - peak.index_select(0, groups)
    total = values.new_zeros(shape).index_add(0, groups, shifted.exp())
    return shifted - total.log().index_select(0, groups)


def segment_sum(values: Tensor, groups: Tensor, count: int) -> Tensor:
    """Return the sum over the items of each group, (count,) or (count, C); 0 for a group without items."""
    return values.new_zeros((count, *values.shape[1:])).index_add(0, groups, values)
