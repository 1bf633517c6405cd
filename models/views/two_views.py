"""The networks of a training with two views: none of them is deployed, and the text's own network is left as it is."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.heads.linear import LinearHead


class TextEncoder(nn.Module):
    """The vectors of a network's readout, mapped to at most `width` numbers."""

    def __init__(self, network: LinearHead, width: int) -> None:
        super().__init__()
        self.network = network
        own = network.classifier.in_features
        self.map: nn.Linear | None = nn.Linear(own, width, bias=False) if own > width else None
        self.width = min(own, width)

    def forward(self, **texts: Tensor) -> Tensor:
        """Inputs of the network (B, T) to (B, width)."""
        vectors = self.network.encode(texts["input_ids"], texts.get("attention_mask"), texts.get("token_type_ids"))
        mapped: Tensor = vectors.float() if self.map is None else self.map(vectors.float())
        return mapped


class TwoViews(nn.Module):
    """A text encoder and a code encoder, whose outputs for the same rows lie side by side."""

    def __init__(self, texts: TextEncoder, codes: nn.Module, width: int) -> None:
        """width: of the code encoder's output."""
        super().__init__()
        self.texts, self.codes, self.width = texts, codes, texts.width + width

    def forward(
        self, paths: Tensor, path_offsets: Tensor, codes: Tensor, code_offsets: Tensor, **texts: Tensor
    ) -> Tensor:
        """Return (B, width), the text's numbers first; the arguments are those of both encoders."""
        return torch.cat([self.texts(**texts), self.codes(paths, path_offsets, codes, code_offsets)], -1)


class CodeReader(nn.Module):
    """A linear layer on codes, or on texts and codes: a teacher, and a bound of what a text's network can learn."""

    def __init__(self, encoder: nn.Module, width: int, outputs: int) -> None:
        """width: of what the encoder, of codes or of both, returns."""
        super().__init__()
        self.encoder, self.classifier = encoder, nn.Linear(width, outputs)

    def forward(self, **inputs: Tensor) -> Tensor:
        """Inputs of the encoder to logits (B, outputs)."""
        logits: Tensor = self.classifier(self.encoder(**inputs))
        return logits


@torch.no_grad()
def fold_map(head: nn.Linear, first: nn.Linear | None, second: nn.Linear, weights: Tensor, bias: Tensor) -> None:
    """Set a last layer to that of weights (C, k) and bias (C,) on the vectors after two linear maps.

    first: H to d, None: no map; second: d to k. Nothing of the maps is left: the last layer still reads (B, H).
    """
    weights, bias = weights.to(second.weight), bias.to(second.weight)
    joined, shift = weights @ second.weight, weights @ second.bias + bias
    head.weight.copy_(joined if first is None else joined @ first.weight)
    head.bias.copy_(shift)
