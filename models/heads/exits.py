"""Early exits: classifiers after lower layers of an encoder, where texts leave once their answer is certain enough.

    attach_exits(model, layers=(1, 2, 3, 4, 5), rule="confidence")      # no row leaves until thresholds are set
    model(**inputs)                             # higher layers run on the rest of the batch, or not at all

Exits are not used in training mode. Whether a row leaves depends only on that row, never on its batch.
Source: Teerapittayanon et al. 2016, BranchyNet; the rules are in exit_rules.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn

from models.backbones.bert import Bert
from models.backbones.hooks import LayerHook, State
from models.errors import ModelError
from models.heads.exit_rules import NEVER, agreements, confidence, entropy
from models.heads.linear import LinearHead
from models.readouts.base import count_tokens, masked_sum
from models.settings import full_part

Rule = Literal["confidence", "entropy", "patience", "learned"]
Reads = Literal["mean", "first"]

EXITS = "exits"  # the method of their entry in config.json
MEANS = ("mean", "sum", "sqrt")  # with these readouts, exits read the mean of a layer's states
ROUNDING = 1e-6  # of a state in float32, between two implementations of a layer
SAME_CLASS = 0.5  # the numbers of two classes differ by 1 or more
READOUTS = ("cls", *MEANS)  # readouts of the last layer alone; exits do not work with others


class Exits(nn.Module):
    """The exits of an encoder, each a linear layer over the mean of a layer's states, or over the first state.

    Their logits are on the last layer's scale (standardised targets for regression). `forward` replaces the model's.
    """

    temperature: Tensor  # (), divides the logits before a confidence is computed
    thresholds: Tensor  # (exits,), the certainty at which rows leave

    def __init__(
        self, layers: Sequence[int], width: int, outputs: int, *, rule: Rule, reads: Reads, within: float = 0.5
    ) -> None:
        """layers: those, counted from 1, with an exit after them. within: how close numbers must be for patience."""
        super().__init__()
        self.layers, self.rule, self.reads, self.within = tuple(layers), rule, reads, within
        self.classifiers = nn.ModuleList(nn.Linear(width, outputs) for _ in layers)
        self.doubt = nn.Linear(width, 1) if rule == "learned" else None  # shared by all exits
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("thresholds", torch.full((len(layers),), NEVER))
        self.is_open = True  # False: all rows pass through all layers
        self.left: dict[int, int] = {}  # rows that left after each layer since `take_counts`; 0: that stayed

    def vectors(self, state: State) -> Tensor:
        """The vectors that an exit reads from its layer, (B, H) float32; dropped tokens keep their last states."""
        if self.reads == "first":
            return state.hidden[:, 0].float()
        whole = state.restored()
        return masked_sum(whole.hidden.float(), whole.mask) / count_tokens(whole.hidden, whole.mask).float()

    def answer(self, place: int, vectors: Tensor) -> Tensor:
        """The logits (B, C) float32 of exit number `place`, from 0, for vectors (B, H)."""
        out: Tensor = self.classifiers[place](vectors).float()
        return out

    def rounding(self) -> float:
        """By how much an exit's logit may differ between two float32 implementations of the layers below it.

        Where states hardly change from text to text, as in the lowest layers, an exit has large weights, and with them
        it magnifies rounding.
        """
        weights = [layer.weight.detach() for layer in self.classifiers if isinstance(layer, nn.Linear)]
        return ROUNDING * max((float(weight.abs().sum(1).max()) for weight in weights), default=0.0)

    def certainty(self, vectors: Tensor, logits: Tensor, memory: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The certainty (B,) of an exit, and the state to pass to the next one: (B, 2) for patience, else None.

        memory: that state from the previous exit, None at the first.
        """
        if self.rule == "confidence":
            return confidence(logits, self.temperature), None
        if self.rule == "entropy":
            return -entropy(logits, self.temperature), None
        if self.doubt is not None:
            return -self.doubt(vectors).float().squeeze(-1).sigmoid(), None
        is_class = logits.shape[-1] > 1
        answers = logits.argmax(-1).float() if is_class else logits.squeeze(-1).float()
        count = torch.zeros_like(answers)
        if memory is not None:
            count = agreements(answers, memory[:, 1], memory[:, 0], SAME_CLASS if is_class else self.within)
        return count, torch.stack([count, answers], -1)

    def forward(
        self, model: LinearHead, input_ids: Tensor, attention_mask: Tensor | None, token_type_ids: Tensor | None
    ) -> Tensor:
        """The logits (B, C) float32 of `model`, whose exits these are; for regression in the targets' unit."""
        leaving = Leaving(self)
        last = model.score(model.encode(input_ids, attention_mask, token_type_ids, hooks=[leaving])).float()
        self._count(leaving, len(last))
        if not leaving.gone:
            return last
        found = last.new_empty(len(input_ids), last.shape[-1])
        found[leaving.rest] = last
        for _, rows, logits in leaving.gone:
            found[rows] = model.unstandardise(logits)
        return found

    def _count(self, leaving: Leaving, stayed: int) -> None:
        for layer, rows, _ in leaving.gone:
            self.left[layer] = self.left.get(layer, 0) + len(rows)
        self.left[0] = self.left.get(0, 0) + stayed

    def take_counts(self, layers: int) -> dict[int, int]:
        """How many rows left after each layer since the last call; rows that never left count for the last layer."""
        found = {layer: self.left.get(layer % layers, 0) for layer in (*self.layers, layers)}
        self.left = {}
        return found


class Leaving(LayerHook):
    """Removes the rows that an exit is certain of from a forward pass, and keeps their logits."""

    def __init__(self, exits: Exits) -> None:
        self.exits = exits
        self.gone: list[tuple[int, Tensor, Tensor]] = []  # layer, rows (R,) of the batch, logits (R, C)
        self.rest: Tensor | slice = slice(None)  # the rows that remain
        self.memory: Tensor | None = None

    def before(self, layer: int, state: State) -> State:
        """Remove the rows that leave after layer number `layer`, counted from 1, from the state."""
        exits = self.exits
        if layer not in exits.layers or not exits.is_open:
            return state
        place = exits.layers.index(layer)
        vectors = exits.vectors(state)
        logits = exits.answer(place, vectors)
        certainty, self.memory = exits.certainty(vectors, logits, self.memory)
        is_sure = certainty >= exits.thresholds[place]
        if not is_sure.any():
            return state
        rest = (~is_sure).nonzero().squeeze(1)
        rows = torch.arange(len(is_sure), device=is_sure.device) if state.rows is None else state.rows
        self.gone.append((layer, rows[is_sure], logits[is_sure]))
        self.memory = None if self.memory is None else self.memory[rest]
        self.rest = rows[rest]
        return state.keep_rows(rest)

    def stops(self, state: State) -> bool:
        """Has every row left?"""
        return len(state.hidden) == 0


def reads_of(model: LinearHead) -> Reads:
    """Which states a model's exits read: their mean if its readout sums or averages them, else the first one."""
    return "mean" if full_part(model.architecture["readout"])["name"] in MEANS else "first"


def require_layers(model: nn.Module, name: str) -> int:
    """The number of layers of a model, if it can have exits; ModelError if not. name: of the compression stage."""
    where = f"compression=[{name}]"
    if not isinstance(model, LinearHead) or model.reads != "text" or model.spec.has_label_sets:
        raise ModelError(
            f"{where}: an exit gives a text one class or number, but this model answers for tokens or sets of labels. "
            "Try: 'compression=[int8]'"
        )
    if not isinstance(model.bert, Bert) or model.bert.encoder is None:
        what = "is one of transformers' classes" if "backbone" in model.architecture else "has no layers"
        raise ModelError(
            f"{where}: exits are between the layers of our own encoder; this model {what}. Try: model=minilm"
        )
    layers, readout = len(model.bert.encoder.layer), full_part(model.architecture["readout"])["name"]
    if layers < 2:
        raise ModelError(f"{where}: a model of one layer has no layer to leave out. Try: model.layers=2")
    if readout not in READOUTS:
        raise ModelError(
            f"{where}: model/readout={readout} reads more than the last layer's states, but an exit has no others. "
            "Try: model/readout=mean"
        )
    return layers


def attach_exits(
    model: LinearHead, layers: Sequence[int], *, rule: Rule, reads: Reads | None = None, within: float = 0.5
) -> Exits:
    """Add exits with random weights after these layers, counted from 1; no row leaves until thresholds are set."""
    exits = Exits(
        layers, model.architecture["hidden_size"], model.spec.outputs, rule=rule, reads=reads or reads_of(model),
        within=within,
    )  # fmt: skip
    own = next(model.parameters(), torch.empty(0))  # a quantized model may have no parameters
    model.exits = exits.to(own.device).train(model.training)
    return exits


def detach_exits(model: LinearHead) -> None:
    """Remove a model's exits and their entry in its config.json; does nothing if it has none."""
    model.exits = None
    entries = model.architecture.get("compressed", [])
    entries[:] = [entry for entry in entries if entry["method"] != EXITS]


def exits_of(model: nn.Module) -> Exits | None:
    """The exits of a model; None if it has none."""
    return next((module for module in model.modules() if isinstance(module, Exits)), None)


@contextmanager
def all_layers(model: nn.Module) -> Iterator[None]:
    """Pass every row through all layers inside the `with` block; does nothing to models without exits."""
    exits = exits_of(model)
    before = exits is not None and exits.is_open
    if exits is not None:
        exits.is_open = False
    try:
        yield
    finally:
        if exits is not None:
            exits.is_open = before
