"""Where word vectors come from: a learned table, or a module of models/embeddings/ that computes them.

To add one: models/embeddings/<name>.py with a class of that name in CamelCase, and conf/model/embedding/<name>.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from models.parts import make
from models.settings import Part

Tokens = Callable[[], Sequence[str]]  # the token of each id, asked for only by embeddings that read them


def make_embedding(part: Part, vocab_size: int, hidden: int, pad_id: int, tokens: Tokens | None) -> nn.Module:
    """ids (B, T) or (N,) to vectors (..., hidden), with the options of the part."""
    if part["name"] == "table":
        return nn.Embedding(vocab_size, hidden, padding_idx=pad_id)
    return make("models.embeddings", part, vocab_size=vocab_size, hidden=hidden, pad_id=pad_id, tokens=tokens)
