"""A part by its name: the module <name>.py of a package, and in it the class of that name in CamelCase."""

from __future__ import annotations

import importlib
from typing import Any

from torch import nn

from models.errors import ModelError
from models.settings import Part


def make(package: str, part: Part, **shape: Any) -> nn.Module:
    """The module of `part`, given its options and the shape around it; ModelError for an unknown name or option."""
    options = dict(part)
    name = str(options.pop("name"))
    group = f"model/{package.rpartition('.')[2].removesuffix('s')}"
    if not name.isidentifier() or name.startswith("_"):
        raise ModelError(f"{group}={name}: no such {group}. Try: run list {group}")
    try:
        module = importlib.import_module(f"{package}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{package}.{name}":
            raise
        raise ModelError(f"{group}={name}: no such {group}. Try: run list {group}") from error
    built = getattr(module, "".join(word.title() for word in name.split("_")))
    try:
        found: nn.Module = built(**shape, **options)
    except TypeError as error:
        raise ModelError(f"{group}={name}: {error}. Its options are in conf/{group}/{name}.yaml") from error
    return found
