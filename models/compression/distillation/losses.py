"""The losses of knowledge distillation, as functions of tensors; padding never counts in any of them.

masks are (B, T), 1 for real tokens, None when nothing is padded; states are (B, T, H), scores (B, heads, T, T).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from models.backbones.attention import padding_bias


def regression_loss(found: Tensor, wanted: Tensor, scale: float, reduction: str = "mean") -> Tensor:
    """Squared difference of a regression's answers and what they are compared with, in units of `scale`."""
    apart = (found - wanted) / scale
    return F.mse_loss(apart, torch.zeros_like(apart), reduction=reduction)


def soft_cross_entropy(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """Mean over the rows of -sum p log q, with p and q the softened answers of (B, C) logits.

    Source: TinyBERT, arXiv 1909.10351, eq. 10. Its code also divides by the classes, which the formula does not.
    """
    targets = (teacher / temperature).softmax(-1)
    return -(targets * (student / temperature).log_softmax(-1)).sum(-1).mean()


def soft_divergence(student: Tensor, teacher: Tensor, temperature: float = 2.0) -> Tensor:
    """T^2 KL(teacher || student) of the softened answers, mean over the rows: its gradients stay level over T.

    Source: Hinton et al. 2015; DistilBERT's distiller.py.
    """
    apart = F.kl_div(
        (student / temperature).log_softmax(-1), (teacher / temperature).log_softmax(-1),
        reduction="batchmean", log_target=True,
    )  # fmt: skip
    return temperature**2 * apart


def hidden_loss(student: Tensor, teacher: Tensor, mask: Tensor | None) -> Tensor:
    """Mean squared difference of the states of real tokens. Source: TinyBERT, eq. 8 and 9."""
    squared = (student - teacher).square().mean(-1)
    return squared.mean() if mask is None else (squared * mask).sum() / mask.sum()


def cosine_loss(student: Tensor, teacher: Tensor, mask: Tensor | None) -> Tensor:
    """Mean of 1 - cosine of the states of real tokens. Source: DistilBERT's distiller.py."""
    apart = 1.0 - F.cosine_similarity(student, teacher, dim=-1)
    return apart.mean() if mask is None else (apart * mask).sum() / mask.sum()


def attention_loss(student: Tensor, teacher: Tensor, mask: Tensor | None) -> Tensor:
    """Mean over heads of the squared difference of attention scores before the softmax, real x real tokens.

    Source: TinyBERT, eq. 7; its code averages over padding as well.
    """
    squared = (student - teacher).square().mean(1)
    if mask is None:
        return squared.mean()
    real = (mask[:, :, None] * mask[:, None, :]).to(squared.dtype)
    return (squared * real).sum() / real.sum()


def relations(projected: Tensor, heads: int, mask: Tensor | None) -> Tensor:
    """log softmax(X X^T / sqrt(d)) of queries, keys or values (B, T, H) cut anew into `heads`: (B, heads, T, T).

    How many heads the attention has does not matter. Source: MiniLMv2, arXiv 2012.15828.
    """
    parts = projected.unflatten(-1, (heads, -1)).transpose(1, 2)
    related = parts @ parts.transpose(-1, -2) / math.sqrt(parts.shape[-1])
    return (related if mask is None else related + padding_bias(mask, related.dtype)).log_softmax(-1)


def relation_loss(student: Tensor, teacher: Tensor, heads: int, mask: Tensor | None) -> Tensor:
    """Mean over heads and real tokens of KL(teacher's relations || student's); states as in `relations`."""
    wanted, found = relations(teacher, heads, mask), relations(student, heads, mask)
    rows = (wanted.exp() * (wanted - found)).sum(-1).mean(1)
    return rows.mean() if mask is None else (rows * mask).sum() / mask.sum()
