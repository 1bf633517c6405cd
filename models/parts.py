"""Builds a part by name: the class with that name in CamelCase, in the file <name>.py of a package."""

from __future__ import annotations

import importlib
from typing import Any, TypeVar

from torch import nn

from models.embeddings.base import Tokens, WordVectors
from models.errors import ModelError
from models.readouts.base import Readout
from models.readouts.pooling import POOLINGS, ClsPooler
from models.settings import Part

Kind = TypeVar("Kind", bound=nn.Module)


def make_readout(part: Part, hidden: int, layers: int) -> Readout:
    """Build the readout with this name and options for a backbone of `hidden` dimensions and `layers` layers.

    Raises ModelError for an unknown name or option.
    """
    if part["name"] == "cls":
        return ClsPooler(hidden)
    if part["name"] in POOLINGS:
        return POOLINGS[part["name"]]()
    return make_part("models.readouts", part, Readout, hidden=hidden, layers=layers)


def make_embedding(part: Part, vocab_size: int, hidden: int, pad_id: int, tokens: Tokens | None) -> nn.Module:
    """Build the module that maps ids (B, T) or (N,) to vectors (..., hidden); ModelError for unknown name or option."""
    if part["name"] == "table":
        return nn.Embedding(vocab_size, hidden, padding_idx=pad_id)
    shape: dict[str, Any] = {"vocab_size": vocab_size, "hidden": hidden, "pad_id": pad_id, "tokens": tokens}
    return make_part("models.embeddings", part, WordVectors, **shape)


def make_part(package: str, part: Part, kind: type[Kind], **shape: object) -> Kind:
    """Build the module of `part` from its options and `shape`; ModelError for an unknown name or option."""
    options = dict(part)
    name = str(options.pop("name"))
    group = f"model/{package.rpartition('.')[2].removesuffix('s')}"
    unknown = f"{group}={name}: no such {group}. Try: run list {group}"
    if not name.isidentifier() or name.startswith("_"):
        raise ModelError(unknown)
    try:
        module = importlib.import_module(f"{package}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{package}.{name}":
            raise
        raise ModelError(unknown) from error
    found = vars(module).get("".join(word.title() for word in name.split("_")))
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise ModelError(unknown)  # a file shared by parts, such as base.py
    try:
        return found(**shape, **options)
    except TypeError as error:
        raise ModelError(f"{group}={name}: {error}. Its options are in conf/{group}/{name}.yaml") from error
