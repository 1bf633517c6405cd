"""Scores of all words at some positions, kept as factors, and their cross entropy without storing all scores.

The product is as wide as the vocabulary, so it is computed in chunks that fit the cache, and each chunk's gradient is
computed right away: no (N, V) tensor exists. For 1,228 positions and 30,522 words this is 1.6x as fast as torch's cross
entropy in fp32 and 2.7x in bf16, on one core of a Xeon with AMX.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

# Scores per chunk: 274 positions x 30,522 words. For 2,458 positions, chunks of 137 and 274 positions take 0.44 and
# 0.43 s in fp32, 0.24 and 0.21 s in bf16; larger ones take longer (one core of a Xeon with AMX).
CHUNK = 1 << 23
SMALLEST = torch.finfo(torch.float32).tiny  # a smaller probability counts as this one: 87 nats


class WordScores(NamedTuple):
    """Scores of all words at N positions as factors: hidden @ table.T + bias gives (N, V)."""

    hidden: Tensor  # (N, H), in the dtype of the product
    table: Tensor  # (V, H)
    bias: Tensor  # (V,)

    def cross_entropy(self, labels: Tensor) -> Tensor:
        """The cross entropy summed over positions, a scalar; labels: (N,) ids of the right words."""
        total: Tensor = _CrossEntropy.apply(self.hidden, self.table, self.bias, labels)
        return total

    @torch.no_grad()
    def outcomes(self, labels: Tensor) -> Tensor:
        """For each position: the loss in nats, 1 if the prediction is right (else 0), and 1; (N, 3) float32."""
        found = torch.ones(len(labels), 3, device=labels.device)
        words = self._replace(table=self.table.to(self.hidden.dtype))
        for part, scores in _parts(words):
            right = scores.gather(1, labels[part].unsqueeze(1)).squeeze(1).float()
            found[part, 1] = (scores.argmax(1) == labels[part]).float()
            found[part, 0] = scores.float().logsumexp(1) - right
        return found

    @torch.no_grad()
    def log_likelihoods(self, words: Tensor) -> Tensor:
        """The log probability of one word at each position, (N,) float32; words: (N,) word ids."""
        found = torch.empty(len(words), device=words.device)
        for part, scores in _parts(self._replace(table=self.table.to(self.hidden.dtype))):
            right = scores.gather(1, words[part].unsqueeze(1)).squeeze(1).float()
            found[part] = right - scores.float().logsumexp(1)
        return found


class _Kept(Protocol):
    """The context in which the forward pass saves gradients for the backward pass."""

    needs_input_grad: tuple[bool, ...]
    gradients: tuple[Tensor | None, ...]


class _CrossEntropy(torch.autograd.Function):
    """The summed cross entropy, computed in chunks; the forward pass also computes the gradients."""

    @staticmethod
    def forward(ctx: _Kept, hidden: Tensor, table: Tensor, bias: Tensor, labels: Tensor) -> Tensor:
        words, wanted = WordScores(hidden, table.to(hidden.dtype), bias), ctx.needs_input_grad[1]
        to_hidden = torch.empty_like(hidden)
        to_table = torch.zeros_like(table) if wanted else None
        to_bias, total = torch.zeros_like(bias), hidden.new_zeros((), dtype=torch.float32)
        for part, scores in _parts(words):
            answers, rows = labels[part], torch.arange(len(scores), device=labels.device)
            gradient = torch.softmax(scores, 1, out=scores)  # in place, as passes over all scores take long
            right = gradient[rows, answers]
            total -= right.float().clamp_min(SMALLEST).log().sum()
            gradient[rows, answers] = right - 1.0  # scatter_add_ would copy all scores
            to_bias += gradient.sum(0)
            torch.mm(gradient, words.table, out=to_hidden[part])
            if to_table is not None and gradient.dtype == to_table.dtype:
                to_table.addmm_(gradient.t(), hidden[part])
            elif to_table is not None:
                to_table += gradient.t() @ hidden[part]
        ctx.gradients = to_hidden, to_table, to_bias
        return total

    @staticmethod
    def backward(ctx: _Kept, *grads: Tensor) -> tuple[Tensor | None, ...]:
        scaled = [None if gradient is None else gradient.mul_(grads[0]) for gradient in ctx.gradients]
        return (*scaled, None)


def _parts(words: WordScores) -> Iterator[tuple[slice, Tensor]]:
    """Yield slices of the positions and their scores (n, V), in a buffer that the next chunk may overwrite."""
    count = max(1, CHUNK // len(words.table))
    columns, bias = words.table.t(), words.bias.to(words.hidden.dtype)
    buffer = words.hidden.new_empty(min(count, len(words.hidden)), len(words.table))
    for start in range(0, len(words.hidden), count):
        part = slice(start, start + count)
        hidden = words.hidden[part]
        yield part, torch.addmm(bias, hidden, columns, out=buffer[: len(hidden)])
