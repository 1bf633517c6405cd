"""Reads and sets a network's lengths, and stores them in its config.json with the alternatives that a search found.

    {"method": "length", "mode": "ratio", "lengths": [0.9, 0.8, 0.5, 1.0], "choices": [...]}   # null: all tokens stay

The network computes with `lengths`; `choices` are the search's results, see `keep_choices`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from models.backbones.bert import Bert, Encoder, Layer
from models.backbones.lengths import Lengths, Mode
from models.compression.lengths.choice import METHOD, entry_of
from models.errors import ModelError
from models.json_types import JsonObject
from models.network import Network
from models.settings import full_part

NO_HEADS = "no layer has a head left, but heads tell which tokens matter"


def encoder_with_lengths(model: object) -> Encoder:
    """The encoder of a network; ModelError if its layers cannot drop tokens."""
    bert = model.bert if isinstance(model, Network) else None
    if not isinstance(bert, Bert) or bert.encoder is None:
        raise ModelError("lengths are for the layers of our own BERTs only. Try: model=bert-tiny, or another BERT")
    return bert.encoder


def check_model(model: object) -> None:
    """Raise ModelError if the model's layers cannot drop tokens."""
    encoder_with_lengths(model)
    assert isinstance(model, Network), "others have no such encoder"
    readout = model.bert.pooler
    if readout.hooks():
        name = full_part(model.architecture["readout"])["name"]
        raise ModelError(
            f"model/readout={name} reads every token in every layer, so none can be dropped. Try: model/readout=cls"
        )
    if not has_heads(model):
        raise ModelError(f"{NO_HEADS}. Try: a pruning that leaves some heads")


def has_heads(model: object) -> bool:
    """Has the encoder a layer with heads, so that some tokens can be dropped?"""
    encoder = encoder_with_lengths(model)
    return len(without_heads(encoder)) < len(encoder.layer)


def without_heads(encoder: Encoder) -> list[int]:
    """The layers, from 0, that lost all heads to a pruning; they keep all tokens that enter them."""
    return [number for number, layer in enumerate(encoder.layer) if not cast(Layer, layer).has_heads]


def fitting(model: Network, lengths: Lengths) -> Lengths:
    """The lengths, with which each layer without heads keeps all tokens; ModelError if they do not fit the model."""
    encoder, longest = encoder_with_lengths(model), model.longest_input()
    lengths.check_fits(len(encoder.layer), longest)
    values = list(lengths.values)
    for layer in without_heads(encoder):
        entering = values[layer - 1] if layer else float(longest or values[0])
        values[layer] = 1.0 if lengths.mode == "ratio" else entering
    return Lengths(tuple(values), lengths.mode)


def lengths_of(model: object) -> Lengths | None:
    """The lengths that a model computes with; None if all layers keep all tokens."""
    bert = model.bert if isinstance(model, Network) else None
    return bert.encoder.lengths if isinstance(bert, Bert) and bert.encoder is not None else None


def set_lengths(model: Network, lengths: Lengths | None) -> None:
    """From now on, compute with these lengths (None: all tokens), and write them into the architecture.

    Removes choices in another mode. Raises ModelError for lengths that do not fit the model.
    """
    encoder = encoder_with_lengths(model)
    if lengths is not None:
        lengths.check_fits(len(encoder.layer), model.longest_input())
    encoder.lengths = lengths
    entry = entry_of(model.architecture)
    if entry is None and lengths is None:
        return
    values: JsonObject = {"lengths": list(lengths.values) if lengths else None}
    if lengths is not None and (entry is None or entry["mode"] != lengths.mode):
        values |= {"mode": lengths.mode, "choices": []}
    _write(model, values)


def keep_choices(model: Network, choices: Sequence[JsonObject], mode: Mode = "ratio") -> None:
    """Write the available choices into the architecture, cheapest first.

    Each is an object in the format of models/compression/lengths/choice.py, with its `share` of the full model's
    multiply-adds; mode: of their lengths. The model computes all tokens until `set_lengths` is called.
    """
    encoder_with_lengths(model).lengths = None
    ordered = sorted(choices, key=lambda choice: cast(float, choice["share"]))
    _write(model, {"mode": mode, "lengths": None, "choices": ordered})


def _write(model: Network, values: JsonObject) -> None:
    """Update the entry in place, or add one."""
    entries, own = list(model.architecture.get("compressed", ())), entry_of(model.architecture)
    if own is None:
        entries.append({"method": METHOD, "mode": "ratio", "lengths": None, "choices": []} | values)
    else:
        entries[entries.index(own)] = own | values
    model.architecture["compressed"] = entries
