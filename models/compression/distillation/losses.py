"""The losses of knowledge distillation as functions of tensors. All of them ignore padding.

Masks are (B, T), 1 for real tokens, or None without padding. Hidden states are (B, T, H), scores (B, heads, T, T).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from models.backbones.attention import padding_bias


def regression_loss(found: Tensor, wanted: Tensor, scale: float = 1.0) -> Tensor:
    """Mean squared error between two tensors, with differences measured in units of `scale`."""
    difference = (found - wanted) / scale
    return F.mse_loss(difference, torch.zeros_like(difference))


def soft_cross_entropy(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """Mean over rows of -sum p log q; p, q: softened probabilities of the teacher's and student's logits (B, C).

    Source: TinyBERT, arXiv 1909.10351, eq. 10. Its code also divides by the number of classes; the formula does not.
    """
    targets = (teacher / temperature).softmax(-1)
    return -(targets * (student / temperature).log_softmax(-1)).sum(-1).mean()


def soft_divergence(student: Tensor, teacher: Tensor, temperature: float = 2.0) -> Tensor:
    """Mean over rows of T^2 KL(teacher || student) between softened probabilities.

    T^2 keeps the size of the gradients independent of T. Source: Hinton et al. 2015; DistilBERT's distiller.py.
    """
    divergence = F.kl_div(
        (student / temperature).log_softmax(-1), (teacher / temperature).log_softmax(-1),
        reduction="batchmean", log_target=True,
    )  # fmt: skip
    return temperature**2 * divergence


def vector_loss(student: Tensor, teacher: Tensor, scale: Tensor) -> Tensor:
    """Mean squared error between text vectors (B, H), in units of the spread of the teacher's vectors.

    scale: standard deviation of the teacher's vectors around their mean vector. A student that always outputs that
    mean has a loss of 1.
    """
    return ((student - teacher) / scale).square().mean()


def hidden_loss(student: Tensor, teacher: Tensor, mask: Tensor | None) -> Tensor:
    """Mean squared error between the hidden states of real tokens. Source: TinyBERT, eq. 8 and 9."""
    squared = (student - teacher).square().mean(-1)
    return squared.mean() if mask is None else (squared * mask).sum() / mask.sum()


def cosine_loss(student: Tensor, teacher: Tensor, mask: Tensor | None) -> Tensor:
    """Mean cosine distance between the hidden states of real tokens. Source: DistilBERT's distiller.py."""
    distance = 1.0 - F.cosine_similarity(student, teacher, dim=-1)
    return distance.mean() if mask is None else (distance * mask).sum() / mask.sum()


def attention_loss(student: Tensor, teacher: Tensor, mask: Tensor | None) -> Tensor:
    """Mean squared error between attention scores before the softmax, over all heads and pairs of real tokens.

    Source: TinyBERT, eq. 7; its code averages over padding as well.
    """
    squared = (student - teacher).square().mean(1)
    if mask is None:
        return squared.mean()
    real = (mask[:, :, None] * mask[:, None, :]).to(squared.dtype)
    return (squared * real).sum() / real.sum()


def log_relations(projected: Tensor, heads: int, mask: Tensor | None) -> Tensor:
    """log softmax(X X^T / sqrt(d)), where X is the queries, keys or values (B, T, H) split into `heads` relation heads.

    `heads` need not equal the model's number of attention heads. Returns (B, heads, T, T). Source: MiniLMv2, arXiv
    2012.15828.
    """
    parts = projected.unflatten(-1, (heads, -1)).transpose(1, 2)
    related = parts @ parts.transpose(-1, -2) / math.sqrt(parts.shape[-1])
    return (related if mask is None else related + padding_bias(mask, related.dtype)).log_softmax(-1)


def relation_loss(student: Tensor, teacher: Tensor, heads: int, mask: Tensor | None) -> Tensor:
    """Mean over heads and real tokens of KL(teacher || student) between relations; see `log_relations`."""
    wanted, found = log_relations(teacher, heads, mask), log_relations(student, heads, mask)
    rows = (wanted.exp() * (wanted - found)).sum(-1).mean(1)
    return rows.mean() if mask is None else (rows * mask).sum() / mask.sum()
