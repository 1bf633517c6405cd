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


def flat_positions(index: Tensor, length: int) -> Tensor:
    """Where positions (B, K) of rows of `length` tokens lie in the flattened (B, T): (B x K,) int64."""
    starts = torch.arange(index.shape[0], device=index.device) * length
    return (index + starts.unsqueeze(1)).flatten()


def gather_positions(states: Tensor, index: Tensor) -> Tensor:
    """The states (B, T, H) at some positions of each row, (B, K, H); index: (B, K) int64.

    Copies whole rows, which takes a fifth of the time of `gather`; and `take_along_dim` would fix a traced graph to the
    sizes that it was traced with.
    """
    return states.flatten(0, 1).index_select(0, flat_positions(index, states.shape[1])).unflatten(0, index.shape)


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
        before, own = self.whole.hidden, self.hidden.flatten(0, 1).to(self.whole.hidden.dtype)
        flat, rows = flat_positions(self.places, before.shape[1]), before.flatten(0, 1)
        if self.mask is not None:  # places beyond a text's own length
            own = torch.where(self.mask.flatten().unsqueeze(1) > 0, own, rows.index_select(0, flat))
        return replace(self.whole, hidden=rows.index_copy(0, flat, own).view_as(before))

    def keep_positions(self, index: Tensor) -> State:
        """Keep some positions of each row, index (B, K) int64; the rest is gone until a hook puts it back."""
        places = torch.arange(self.hidden.shape[1], device=index.device).expand(self.hidden.shape[:2])
        return replace(
            self,
            hidden=gather_positions(self.hidden, index),
            bias=None if self.bias is None else self.bias.gather(3, index[:, None, None]),
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
