"""Losses of ranked documents: means over the groups of a batch, each a relevant document and others of one query.

Scores are (N,) in any order, `groups` (N,) int64 says which group each is in, `relevant` (N,) bool which are relevant.
A group without a relevant document adds nothing and does not count; nor, in losses over pairs, does one without any
other document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.tasks.segments import segment_log_softmax, segment_sum

if TYPE_CHECKING:
    from torch import Tensor

MARGIN = 1.0  # of the hinge


def pointwise(scores: Tensor, gains: Tensor, relevant: Tensor, groups: Tensor) -> Tensor:
    """Return the mean binary cross entropy of a pair, a scalar."""
    from torch.nn import functional

    return functional.binary_cross_entropy_with_logits(scores.float(), relevant.float())


def pairwise(scores: Tensor, gains: Tensor, relevant: Tensor, groups: Tensor) -> Tensor:
    """Return the mean of log(1 + exp(s_other - s_relevant)) over the pairs of a group, then over the groups."""
    from torch.nn import functional

    return _of_pairs(functional.softplus(-_margins(scores)), relevant, groups)


def hinge(scores: Tensor, gains: Tensor, relevant: Tensor, groups: Tensor) -> Tensor:
    """Return the mean of max(0, 1 - s_relevant + s_other) over the pairs of a group, then over the groups."""
    return _of_pairs((MARGIN - _margins(scores)).clamp(min=0), relevant, groups)


def listwise(scores: Tensor, gains: Tensor, relevant: Tensor, groups: Tensor) -> Tensor:
    """Return the cross entropy of the softmax over a group, mean over the groups; the gains are normalised.

    With one relevant document that is -log softmax(s) of it.
    """
    count = _count(groups)
    gains = gains.float() * relevant
    total = segment_sum(gains, groups, count)
    own = segment_sum(-gains * segment_log_softmax(scores, groups, count), groups, count)
    return (own / total.clamp(min=1e-12)).sum() / (total > 0).sum().clamp(min=1)


def margin_mse(scores: Tensor, teacher: Tensor, relevant: Tensor, groups: Tensor) -> Tensor:
    """Return the mean squared difference of the margins of student and teacher, over pairs and then over groups.

    Source: Hofstaetter et al. 2020, arXiv 2010.02666, eq. 8.
    """
    return _of_pairs((_margins(scores) - _margins(teacher)).square(), relevant, groups)


def listwise_match(scores: Tensor, teacher: Tensor, groups: Tensor, temperature: float, *, entropy: bool) -> Tensor:
    """Return T^2 KL(teacher || student) of the softmax over each group at temperature T, mean over the groups.

    entropy: -sum p log q instead, without T^2, as `soft_cross_entropy` for classes.
    """
    count = _count(groups)
    wanted = segment_log_softmax(teacher / temperature, groups, count)
    found = segment_log_softmax(scores / temperature, groups, count)
    if entropy:
        return -(wanted.exp() * found).sum() / count
    return temperature**2 * (wanted.exp() * (wanted - found)).sum() / count


LISTWISE, MARGIN_MSE = "listwise", "margin_mse"
LOSSES = {"pointwise": pointwise, "pairwise": pairwise, "hinge": hinge, LISTWISE: listwise}


def _margins(scores: Tensor) -> Tensor:
    """Return how much higher each score (rows) is than each (columns), (N, N)."""
    scores = scores.float()
    return scores[:, None] - scores[None, :]


def _of_pairs(values: Tensor, relevant: Tensor, groups: Tensor) -> Tensor:
    """Return the mean of values (N, N) over the pairs of a relevant and another item of a group, then over groups."""
    count = _count(groups)
    pairs = (groups[:, None] == groups[None, :]) & relevant[:, None] & ~relevant[None, :]
    sums = segment_sum((values * pairs).sum(1), groups, count)
    number = segment_sum(pairs.sum(1).float(), groups, count)
    return (sums / number.clamp(min=1)).sum() / (number > 0).sum().clamp(min=1)


def _count(groups: Tensor) -> int:
    """Return the number of groups."""
    return int(groups[-1]) + 1 if len(groups) and bool((groups[1:] >= groups[:-1]).all()) else int(groups.max()) + 1
