"""Hooks between an encoder's layers: the state that passes from layer to layer, and how to read or change it.

    recorder = Recorder()
    vectors = model.bert(**inputs, hooks=[recorder])  # recorder.states: layers + 1 tensors (B, T, H)

A hook is used for one forward pass, so it may store what it needs until `after_last`. Without hooks, the encoder just
runs its layers in order, at no extra cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.errors import ModelError


def flat_positions(index: Tensor, length: int) -> Tensor:
    """Convert positions (B, K) in rows of `length` tokens to positions in the flattened (B, T), (B x K,) int64."""
    starts = torch.arange(index.shape[0], device=index.device) * length
    return (index + starts.unsqueeze(1)).flatten()


def gather_positions(states: Tensor, index: Tensor) -> Tensor:
    """The states (B, T, H) at some positions of each row, (B, K, H); index: (B, K) int64.

    Copies whole rows, which takes a fifth of the time of `gather`. `take_along_dim` would fix the sizes of a traced
    graph to those it was traced with.
    """
    return states.flatten(0, 1).index_select(0, flat_positions(index, states.shape[1])).unflatten(0, index.shape)


@dataclass(frozen=True)
class State:
    """The input of a layer, or the output of the last one."""

    hidden: Tensor  # (B, T, H)
    bias: Tensor | None = None  # (B, 1, 1, T), added to the attention scores; None: no padding
    mask: Tensor | None = None  # (B, T), 1 for real tokens; None: no padding
    places: Tensor | None = None  # (B, T) int64: the original indices of the positions; None: none was removed
    rows: Tensor | None = None  # (B,) int64: the original indices of the rows; None: none was removed
    # All positions of these rows: dropped ones with their states when they were dropped, the others with outdated
    # states. None: no layer has dropped any, or nothing needs them.
    whole: State | None = None

    def restored(self) -> State:
        """The state with all positions that layers have dropped put back; returns itself if none was dropped."""
        if self.whole is None or self.places is None:
            return self
        before, own = self.whole.hidden, self.hidden.flatten(0, 1).to(self.whole.hidden.dtype)
        flat, rows = flat_positions(self.places, before.shape[1]), before.flatten(0, 1)
        if self.mask is not None:  # places beyond a text's own length
            own = torch.where(self.mask.flatten().unsqueeze(1) > 0, own, rows.index_select(0, flat))
        return replace(self.whole, hidden=rows.index_copy(0, flat, own).view_as(before))

    def keep_positions(self, index: Tensor) -> State:
        """Keep some positions of each row, index (B, K) int64; the rest is removed until a hook puts it back."""
        places = torch.arange(self.hidden.shape[1], device=index.device).expand(self.hidden.shape[:2])
        return replace(
            self,
            hidden=gather_positions(self.hidden, index),
            bias=None if self.bias is None else self.bias.gather(3, index[:, None, None]),
            mask=None if self.mask is None else self.mask.gather(1, index),
            places=(places if self.places is None else self.places).gather(1, index),
        )

    def keep_rows(self, index: Tensor) -> State:
        """Keep some rows, index (K,) int64; the rest is removed until a hook puts it back."""
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
    """The positions whose final states are wanted: all, the first few of each row, or specific ones."""

    first: int | None = None  # only this many first positions of each row, (B, first, H)
    places: Tensor | None = None  # (N,) int64, positions in the flattened (B, T): only those states, (N, H)

    def select(self, hidden: Tensor) -> Tensor:
        """Select the wanted states from (B, T, H)."""
        if self.places is not None:
            return hidden.flatten(0, 1).index_select(0, self.places)
        return hidden if self.first is None else hidden[:, : self.first]


ALL = Wanted()


class LayerHook:
    """Reads or changes the states between layers. Subclasses override what they need.

    Hooks are nested: the first hook is the first to see a layer's input and the last to see the final output.
    """

    needs_all_positions: bool = False  # does `after_last` need all positions, even if the readout reads only a few?
    only_observes: bool = False  # does it leave the states unchanged? Only such hooks work on transformers' encoders

    def before(self, layer: int, state: State) -> State:
        """The input of a layer, counted from 0, given what the layer below returned (for layer 0, the embeddings)."""
        return state

    def stops(self, state: State) -> bool:
        """May the remaining layers be skipped because no work is left for them? Called before every layer, after
        `before`.
        """
        return False

    def after_last(self, state: State) -> State:
        """The output of the encoder, given what the last layer returned.

        Removed rows are put back here, unless the head does that. So are removed positions, unless the readout does not
        need them.
        """
        return state


class Recorder(LayerHook):
    """Records the states of the embeddings and of every layer, without copying them."""

    only_observes = True

    def __init__(self, needs_all_positions: bool = True) -> None:
        """needs_all_positions=False: record only the positions that the readout reads in the last layer."""
        self.needs_all_positions = needs_all_positions
        self.states: list[Tensor] = []

    def before(self, layer: int, state: State) -> State:
        """Record the state (B, T, H)."""
        self.states.append(state.restored().hidden)
        return state

    def after_last(self, state: State) -> State:
        """Record the last state."""
        self.states.append(state.hidden)
        return state


def show_states(hooks: Sequence[LayerHook], states: Sequence[Tensor], mask: Tensor | None) -> None:
    """Call read-only hooks with the recorded states of a finished forward pass, those of the embeddings first.

    Raises ModelError for hooks that may change states.
    """
    for hook in hooks:
        if not hook.only_observes:
            raise ModelError(f"{type(hook).__name__} works between the layers of our own encoder; this one is not ours")
        for layer, hidden in enumerate(states[:-1]):
            hook.before(layer, State(hidden, mask=mask))
        hook.after_last(State(states[-1], mask=mask))
