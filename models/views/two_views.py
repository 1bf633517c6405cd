"""Networks for training with two views. None of them is deployed, and the text network keeps its architecture."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.heads.linear import LinearHead


class TextEncoder(nn.Module):
    """A network's text vectors, mapped to `width` dimensions if they have more."""

    def __init__(self, network: LinearHead, width: int) -> None:
        super().__init__()
        self.network = network
        own = network.classifier.in_features
        self.map: nn.Linear | None = nn.Linear(own, width, bias=False) if own > width else None
        self.width = min(own, width)

    def forward(self, **texts: Tensor) -> Tensor:
        """Map inputs of the network (B, T) to vectors (B, width)."""
        vectors = self.network.encode(texts["input_ids"], texts.get("attention_mask"), texts.get("token_type_ids"))
        mapped: Tensor = vectors.float() if self.map is None else self.map(vectors.float())
        return mapped


class TwoViews(nn.Module):
    """A text encoder and a code encoder, whose outputs for the same rows are concatenated."""

    def __init__(self, texts: TextEncoder, codes: nn.Module, width: int) -> None:
        """width: dimensions of the code encoder's output."""
        super().__init__()
        self.texts, self.codes, self.width = texts, codes, texts.width + width

    def forward(
        self, paths: Tensor, path_offsets: Tensor, codes: Tensor, code_offsets: Tensor, **texts: Tensor
    ) -> Tensor:
        """Return (B, width), the text encoder's output first; takes the arguments of both encoders."""
        return torch.cat([self.texts(**texts), self.codes(paths, path_offsets, codes, code_offsets)], -1)


class CodeReader(nn.Module):
    """A linear classifier on codes, or on texts and codes: a teacher, and a bound on what a text network can learn."""

    def __init__(self, encoder: nn.Module, width: int, outputs: int) -> None:
        """encoder: of codes or of both views; width: dimensions of its output."""
        super().__init__()
        self.encoder, self.classifier = encoder, nn.Linear(width, outputs)

    def forward(self, **inputs: Tensor) -> Tensor:
        """Map inputs of the encoder to logits (B, outputs)."""
        logits: Tensor = self.classifier(self.encoder(**inputs))
        return logits


@torch.no_grad()
def fold_map(head: nn.Linear, first: nn.Linear | None, second: nn.Linear, weights: Tensor, bias: Tensor) -> None:
    """Fold two linear maps and a classifier on them, weights (C, k) and bias (C,), into the last layer `head`.

    first: H to d, None for no map; second: d to k. The last layer still reads (B, H), and the maps are not needed.
    """
    weights, bias = weights.to(second.weight), bias.to(second.weight)
    joined, shift = weights @ second.weight, weights @ second.bias + bias
    head.weight.copy_(joined if first is None else joined @ first.weight)
    head.bias.copy_(shift)
