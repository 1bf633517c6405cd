"""From token vectors (B, T, H) to one vector a text (B, H); mask (B, T) is 1 for real tokens, None for all.

To add one: models/readouts/<name>.py with a class of that name in CamelCase, built with `hidden` (H), `layers` (of the
backbone) and the options of its YAML, and conf/model/readout/<name>.yaml. By attributes it asks for what it needs:

    layers_read = "all"   it is called with the list of layers + 1 states (B, T, H), the embeddings' first
    first = 1             all it looks at are that many first tokens; the last layer computes no others
    width = 2 * hidden    of the vector it makes, where that is not H
    head_dropout = 0.0    of that vector before the head, where it is not model.dropout
    longest = 128         tokens it can read, where that is less than the backbone's positions
    inline = ModuleList   a module before each layer of our encoder: (states so far, mask) to what is added to the last
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import ModelError
from models.parts import make
from models.settings import Part


class ClsPooler(nn.Module):
    """BERT's pooler: tanh of a linear layer over the first token's vector."""

    first = 1  # all it looks at; the encoder need not compute the others' last states

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.dense = nn.Linear(hidden, hidden)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """The vector of [CLS]."""
        return torch.tanh(self.dense(hidden[:, 0]))


def masked_sum(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Sum over real tokens; as a matrix product, which skips the (B, T, H) product of mask and vectors."""
    if mask is None:
        return hidden.sum(1)
    return torch.bmm(mask.to(hidden.dtype).unsqueeze(1), hidden).squeeze(1)


def counts(hidden: Tensor, mask: Tensor | None) -> Tensor:
    """Real tokens a row, at least 1 so that an empty text gives zeros and not NaN; (B, 1)."""
    if mask is None:
        return hidden.new_full((hidden.shape[0], 1), float(hidden.shape[1]))
    return mask.sum(1, keepdim=True).clamp(min=1).to(hidden.dtype)


def check_length(tokens: int, places: int) -> None:
    """ModelError for a text of more tokens than there are places for."""
    if tokens > places:
        raise ModelError(f"a text of {tokens} tokens: this head was made for {places}")


def side_by_side(vectors: Tensor, mask: Tensor | None, places: int) -> Tensor:
    """(B, T, W) to (B, places x W), zeros where there is no real token; ModelError for texts of more tokens."""
    check_length(vectors.shape[1], places)
    if mask is not None:
        vectors = vectors * mask.unsqueeze(-1)
    return F.pad(vectors, (0, 0, 0, places - vectors.shape[1])).flatten(1)


class SumPooler(nn.Module):
    """The sum of the vectors of real tokens: the DSN, without the defect below."""

    power = 0.0  # of the number of tokens, which the sum is divided by

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """(B, H)."""
        return self.scale(masked_sum(hidden, mask), counts(hidden, mask))

    def scale(self, summed: Tensor, tokens: Tensor) -> Tensor:
        """The readout from the sums (B, H) of rows of that many tokens (B, 1)."""
        return summed / tokens**self.power if self.power else summed


class MeanPooler(SumPooler):
    """Their mean."""

    power = 1.0


class SqrtPooler(SumPooler):
    """Their sum divided by the square root of their number: the scale stays level over text lengths."""

    power = 0.5


class SumAllPooler(nn.Module):
    """The sum over all places, padding too: the published DSN, whose result depends on the padding."""

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """(B, H)."""
        return hidden.sum(1)


BASIC = {
    "cls": ClsPooler,
    "mean": MeanPooler,
    "sum": SumPooler,
    "sqrt": SqrtPooler,
    "sum_all": SumAllPooler,
}


def read(readout: nn.Module, states: Sequence[Tensor] | Tensor, mask: Tensor | None) -> Tensor:
    """One vector a text from the states (B, T, H) of the layers that the readout reads, the last one last."""
    out: Tensor = readout(list(states) if reads_all(readout) else states[-1], mask)
    return out


def reads_all(readout: nn.Module) -> bool:
    """Does it want the states of all layers, and not only the last ones?"""
    return getattr(readout, "layers_read", "last") == "all"


def inline_of(readout: nn.Module) -> nn.ModuleList | None:
    """The modules that it puts before the layers of the encoder, so that their states change with it."""
    return getattr(readout, "inline", None)


def make_readout(part: Part, hidden: int, layers: int) -> nn.Module:
    """The readout of that name and options for a backbone of that many layers, `hidden` wide; ModelError as `make`."""
    if part["name"] not in BASIC:
        return make("models.readouts", part, hidden=hidden, layers=layers)
    return ClsPooler(hidden) if part["name"] == "cls" else BASIC[part["name"]]()
