"""The attention half of a BERT layer."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.backbones.dropout import Dropout
from models.compression.quantization.coded import CodedLinear
from models.settings import ModelSettings

# Added to the scores of padding. Not the lowest float32: bf16 would round that to -inf, and a row with only padding
# would become NaN.
MASKED = -1e30
# Length in tokens from which torch's fused attention is used on a CPU without dropout, by float32 matmul precision.
# Measured on one thread of a Xeon with AMX, 2 heads of 64, batch 32, 16-512 tokens, forward and forward + backward:
# with "highest" (MKL), fused attention is 1.0-2.8x faster at every length; with "medium" (oneDNN, which computes in
# bf16 there), it is 1.4-9x slower up to 256 tokens, about equal at 320-384, and 1.3-2.3x faster from 448 on.
FUSED_FROM = {"highest": 0, "high": 0, "medium": 384}
# That length for training in bf16 (train.precision=bf16), where the backward pass of fused attention is slow. Layers
# with 2 heads of 64 and with 12 of 32, batch 8-64, one thread of the same Xeon, forward + backward: fused attention
# takes 4 times as long at 32 tokens, 3 times at 128, 1.2-1.4 times at 256 and 0.75 times at 512. A forward pass alone
# is always faster with it.
FUSED_IN_BF16_TRAINING_FROM = 384


def padding_bias(attention_mask: Tensor, dtype: torch.dtype) -> Tensor:
    """The bias that masks padding, (B, 1, 1, T): 0 for real tokens (mask 1), MASKED for padding (mask 0)."""
    return (attention_mask[:, None, None, :].to(dtype) - 1.0) * -MASKED  # 1.0 - x cannot be exported to ONNX


class SelfAttention(nn.Module):
    """Queries, keys, values and the weighted sum of the values.

    Three linear layers rather than a fused one, because compression methods access each of them. A fused layer was no
    faster at batch 1, and 4 % faster in training.
    """

    def __init__(self, hidden: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.head_size = hidden // heads
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.dropout = Dropout(dropout)

    def forward(self, hidden: Tensor, bias: Tensor | None, query_states: Tensor | None = None) -> Tensor:
        """hidden: (B, T, H); bias: (B, 1, 1, T), 0 for real tokens, MASKED for padding; None: no padding.

        query_states: the states (B, S, H) that attend; None: all T. Returns (B, S, heads x head size).
        """
        if query_states is not None and self.is_plain():
            return self.attend_from(hidden, bias, query_states)
        query = self.split(self.query(hidden if query_states is None else query_states))
        key, value = self.split(self.key(hidden)), self.split(self.value(hidden))
        if self.is_fused(hidden):
            dropped = self.dropout.p if self.dropout.is_active else 0.0
            mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropped)
        else:
            mixed = torch.matmul(self.dropout(self.scores(query, key, bias).softmax(-1)), value)
        return mixed.transpose(1, 2).flatten(2)

    def weigh(self, hidden: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
        """The output of `forward`, and the attention weights before dropout, (B, heads, T, T)."""
        query, key, value = (self.split(layer(hidden)) for layer in (self.query, self.key, self.value))
        weights = self.scores(query, key, bias).softmax(-1)
        return torch.matmul(self.dropout(weights), value).transpose(1, 2).flatten(2), weights

    def is_plain(self) -> bool:
        """Are keys and values plain linear layers without hooks, so that `attend_from` may reorder their products?"""
        return all(
            (type(layer) is nn.Linear or isinstance(layer, CodedLinear)) and not layer._forward_hooks
            for layer in (self.key, self.value)
        )

    def attend_from(self, hidden: Tensor, bias: Tensor | None, query_states: Tensor) -> Tensor:
        """Attend from few states without computing keys and values of every token; gives the same result as `forward`.

        q . (K x + k) = (K^T q) . x + q . k, where the softmax cancels the last term. The sum of a (V x + v) is
        V (sum of a x) + v (sum of a). So K and V are multiplied once per query and head instead of once per token.
        """
        rows, count, width = query_states.shape
        per_head = (-1, self.head_size, width)
        query = self.split(self.query(query_states)).transpose(0, 1).flatten(1, 2)  # (heads, B S, size)
        towards = torch.bmm(query, self.key.weight.view(per_head)) * (1.0 / math.sqrt(self.head_size))
        towards = towards.unflatten(1, (rows, count)).transpose(0, 1).flatten(1, 2)  # (B, heads S, H)
        if bias is None:
            scores = torch.bmm(towards, hidden.transpose(1, 2))
        else:
            scores = torch.baddbmm(bias.squeeze(1).to(towards.dtype), towards, hidden.transpose(1, 2))
        weights = self.dropout(scores.softmax(-1).unflatten(1, (-1, count)))  # (B, heads, S, T)
        mixed = torch.bmm(weights.flatten(1, 2).to(hidden.dtype), hidden).unflatten(1, (-1, count))
        mixed = mixed.transpose(0, 1).flatten(1, 2)  # (heads, B S, H)
        out = torch.bmm(mixed, self.value.weight.view(per_head).transpose(1, 2)).unflatten(1, (rows, count))
        out = out + self.value.bias.view(-1, 1, 1, self.head_size) * weights.sum(-1).transpose(0, 1).unsqueeze(-1)
        return out.permute(1, 2, 0, 3).flatten(2)

    def split(self, projected: Tensor) -> Tensor:
        """Split into heads: (B, T, heads x head size) to (B, heads, T, head size)."""
        return projected.unflatten(-1, (-1, self.head_size)).transpose(1, 2)

    def is_fused(self, hidden: Tensor) -> bool:
        """Is torch's fused attention faster here? Always on CUDA; never on a CPU with dropout.

        On a CPU with dropout, torch falls back to plain kernels, which are 1.1-1.5x slower than ours.
        """
        if hidden.is_cuda:
            return True
        if torch.is_autocast_enabled("cpu") and torch.is_grad_enabled():
            shortest = FUSED_IN_BF16_TRAINING_FROM
        else:
            shortest = FUSED_FROM[torch.get_float32_matmul_precision()]
        return not self.dropout.is_active and hidden.shape[1] >= shortest

    def scores(self, query: Tensor, key: Tensor, bias: Tensor | None) -> Tensor:
        """Scaled dot products before the softmax, (B, heads, S, T), with the bias added."""
        batch, heads, length, size = key.shape
        scale = 1.0 / math.sqrt(size)
        if bias is None:
            return torch.matmul(query * scale, key.transpose(-1, -2))
        # One kernel for scale, product and bias is up to 1.2x faster than three.
        rows = bias.expand(batch, heads, 1, length).reshape(batch * heads, 1, length)
        flat = torch.baddbmm(rows, query.flatten(0, 1), key.flatten(0, 1).transpose(1, 2), alpha=scale)
        return flat.unflatten(0, (batch, heads))


class ResidualOutput(nn.Module):
    """A linear layer, dropout, the residual connection and the norm."""

    def __init__(self, width: int, settings: ModelSettings) -> None:
        super().__init__()
        self.dense = nn.Linear(width, settings.hidden)
        self.LayerNorm = nn.LayerNorm(settings.hidden, eps=settings.layer_norm_eps)
        self.dropout = Dropout(settings.dropout)

    def forward(self, inner: Tensor, residual: Tensor) -> Tensor:
        """inner: (B, T, width); residual: (B, T, H). Returns (B, T, H)."""
        out: Tensor = self.LayerNorm(self.dropout.add(self.dense(inner), residual))
        return out


class Attention(nn.Module):
    """Self-attention with its output projection, residual connection and norm."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.self = SelfAttention(settings.hidden, settings.heads, settings.attention_dropout)
        self.output = ResidualOutput(settings.hidden, settings)

    def forward(self, hidden: Tensor, bias: Tensor | None, first: int | None = None) -> Tensor:
        """(B, T, H) to (B, T, H), or to (B, first, H): the states of the first tokens only."""
        query_states = None if first is None else hidden[:, :first]
        mixed = self.self(hidden, bias, query_states)
        out: Tensor = self.output(mixed, hidden if query_states is None else query_states)
        return out
