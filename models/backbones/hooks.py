"""The seam between the layers of an encoder: what passes from layer to layer, and how to look at it or change it.

    recorder = Recorder()
    vectors = model.bert(**inputs, hooks=[recorder])  # recorder.states: layers + 1 tensors (B, T, H)

A hook lives for one forward pass, so it may keep what it needs until `after_last`. Without hooks the encoder runs its
layers one after the other and nothing here costs anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.errors import ModelError


@dataclass(frozen=True)
class State:
    """The input of a layer, or the output of the last."""

    hidden: Tensor  # (B, T, H)
    bias: Tensor | None = None  # (B, 1, 1, T), added to the attention scores; None: no padding
    mask: Tensor | None = None  # (B, T), 1 for real tokens; None: no padding
    places: Tensor | None = None  # (B, T) int64: where the positions were at first; None: all are still there
    rows: Tensor | None = None  # (B,) int64: where the rows were at first; None: all are still there
    # All positions of these rows, those that a layer has dropped with the states they had then, the others with older
    # ones; None: no layer has dropped any, or nobody reads them.
    whole: State | None = None

    def restored(self) -> State:
        """The state with all positions that layers have dropped put back; itself where none was dropped."""
        if self.whole is None or self.places is None:
            return self
        index, hidden, before = self.places[:, :, None].expand_as(self.hidden), self.hidden, self.whole.hidden
        if self.mask is not None:  # places beyond a text's own length
            hidden = torch.where(self.mask[:, :, None] > 0, hidden, before.gather(1, index).to(hidden.dtype))
        return replace(self.whole, hidden=before.scatter(1, index, hidden.to(before.dtype)))

    def keep_positions(self, index: Tensor) -> State:
        """Keep some positions of each row, index (B, K) int64; the rest is gone until a hook puts it back."""
        places = torch.arange(self.hidden.shape[1], device=index.device).expand(self.hidden.shape[:2])
        return replace(
            self,
            hidden=self.hidden.take_along_dim(index[:, :, None], 1),
            bias=None if self.bias is None else self.bias.take_along_dim(index[:, None, None], 3),
            mask=None if self.mask is None else self.mask.gather(1, index),
            places=(places if self.places is None else self.places).gather(1, index),
        )

    def keep_rows(self, index: Tensor) -> State:
        """Keep some rows, index (K,) int64; the rest is gone until a hook puts it back."""
        return State(
            self.hidden[index],
            None if self.bias is None else self.bias[index],
            None if self.mask is None else self.mask[index],
            None if self.places is None else self.places[index],
            index if self.rows is None else self.rows[index],
            None if self.whole is None else self.whole.keep_rows(index),
        )


@dataclass(frozen=True, eq=False)
class Wanted:
    """The positions whose last states are wanted: all, the first few of each row, or given ones."""

    first: int | None = None  # that many first positions of each row, (B, first, H)
    places: Tensor | None = None  # (N,) int64 of the flattened (B, T): the states there alone, (N, H)

    def select(self, hidden: Tensor) -> Tensor:
        """The wanted ones of the states (B, T, H)."""
        if self.places is not None:
            return hidden.flatten(0, 1).index_select(0, self.places)
        return hidden if self.first is None else hidden[:, : self.first]


ALL = Wanted()


class LayerHook:
    """Looks at the states between the layers, or changes them. Subclasses override what they need.

    Several hooks nest: the first sees the input of a layer first, and the output of the last layer last.
    """

    wants_whole: bool = False  # does `after_last` need all positions, even where the readout reads a few?
    only_looks: bool = False  # does it leave the states alone? Only such hooks work on an encoder of transformers

    def before(self, layer: int, state: State) -> State:
        """The input of a layer, counted from 0, given what the layer below returned (for layer 0, the embeddings)."""
        return state

    def stops(self, state: State) -> bool:
        """Is nothing left for the layers above, so that they need not run? Asked after `before` of every layer."""
        return False

    def after_last(self, state: State) -> State:
        """The output of the encoder, given what the last layer returned.

        Rows that were taken out are put back here, unless the head does that; so are positions, unless the readout can
        do without them.
        """
        return state


class Recorder(LayerHook):
    """Keeps the states of the embeddings and of every layer, without copies."""

    only_looks = True

    def __init__(self, wants_whole: bool = True) -> None:
        """wants_whole=False: of the last layer only the positions that the readout reads."""
        self.wants_whole = wants_whole
        self.states: list[Tensor] = []

    def before(self, layer: int, state: State) -> State:
        """Keep the state (B, T, H)."""
        self.states.append(state.restored().hidden)
        return state

    def after_last(self, state: State) -> State:
        """Keep the last state."""
        self.states.append(state.hidden)
        return state


def show_states(hooks: Sequence[LayerHook], states: Sequence[Tensor], mask: Tensor | None) -> None:
    """Call hooks that only look with the states that a finished forward pass kept, the embeddings' first.

    Raises ModelError for hooks that would change them.
    """
    for hook in hooks:
        if not hook.only_looks:
            raise ModelError(f"{type(hook).__name__} works between the layers of our own encoder; this is another's")
        for layer, hidden in enumerate(states[:-1]):
            hook.before(layer, State(hidden, mask=mask))
        hook.after_last(State(states[-1], mask=mask))
