"""Token dropping: each layer keeps the tokens that its heads attend to most, and [CLS].

A token's significance is the attention that it receives, summed over heads and over attending real tokens.
Source: PoWER-BERT, arXiv 2001.08950, section 3.1. Its code also sums over attending padding, so that a text's
prediction depends on its batch.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from models.backbones.attention import padding_bias
from models.backbones.hooks import State
from models.backbones.lengths import LEAST, Lengths
from models.errors import ModelError


def significance(weights: Tensor, mask: Tensor | None) -> Tensor:
    """The attention that each token receives, (B, T); weights: (B, heads, T, T), each row a distribution over tokens.

    mask: (B, T), 1 for real tokens; attention from padding is ignored. None: no padding.
    """
    by_query = weights.sum(1)
    return (by_query if mask is None else by_query * mask.to(by_query.dtype).unsqueeze(-1)).sum(1)


def size_after(lengths: Lengths, layer: int, size: int) -> int:
    """How many of `size` positions leave a layer; size may be symbolic, during tracing."""
    if lengths.mode == "absolute":
        return torch.sym_min(size, lengths.parts[layer])
    kept = torch.sym_min(torch.sym_max(lengths.share(layer, size), LEAST), size)
    return kept if type(kept) is int else _own_symbol(kept, size)


def _own_symbol(kept: int, size: int) -> int:
    """The symbolic number, as a symbol of its own, which is known to be 1 to `size`.

    As an expression of the sizes before it, the tracer takes exponentially long to simplify it: 8 s after three layers,
    more than 85 s after four; six did not end in 8 minutes.
    """
    found = cast("int", torch.ones(1, dtype=torch.int64).mul(kept).item())  # int() would ask for its value
    torch._check(found >= 1)
    torch._check(found <= size)
    return found


def drops_any(lengths: Lengths, layer: int, size: int) -> bool:
    """Does a layer drop any token of texts of at most `size` tokens? If size is symbolic: might it?"""
    if not lengths.drops(layer):
        return False
    return type(size) is not int or size_after(lengths, layer, size) < size


def choose_tokens(scores: Tensor, mask: Tensor | None, lengths: Lengths, layer: int) -> tuple[Tensor, Tensor | None]:
    """The positions that leave a layer, (B, K), in order, and their mask, (B, K), 1 for real tokens; None: all.

    scores: significance, (B, T). The number of tokens that a text keeps depends only on its own length. K depends only
    on T, so that a traced graph does not need the lengths of texts.
    """
    places = torch.arange(scores.shape[1], device=scores.device)
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -1.0)
    order = scores.masked_fill(places == 0, torch.inf).topk(size_after(lengths, layer, scores.shape[1]), 1).indices
    if mask is None:
        return order.sort(1).values, None
    counts = lengths.kept(layer, mask.sum(1).long())
    stays = torch.arange(order.shape[1], device=scores.device) < counts.unsqueeze(1)
    # Dropped positions come last, so that texts still have their padding at the end.
    order = torch.where(stays, order, order + scores.shape[1]).sort(1).values
    return torch.where(stays, order, order - scores.shape[1]), stays.to(mask.dtype)


def drop_tokens(state: State, index: Tensor, mask: Tensor | None, *, keeps_whole: bool) -> State:
    """The state with only the positions at `index`, (B, K); mask: 1 for those that are real tokens.

    keeps_whole: store the others for `State.restored`; ModelError if a hook has already removed positions.
    """
    if state.places is not None and state.whole is None and keeps_whole:
        raise ModelError("a hook takes out positions between layers that drop tokens too. Try: one of the two")
    kept = replace(state.keep_positions(index), whole=state.restored() if keeps_whole else None)
    return kept if mask is None else replace(kept, mask=mask, bias=padding_bias(mask, kept.hidden.dtype))
