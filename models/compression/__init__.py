"""One file a compression method; models/compression/stage.py says what one is."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from models.compression.settings import METHODS
from models.errors import ModelError

if TYPE_CHECKING:
    from models.compression.settings.stage import StageSettings
    from models.compression.stage import Stage
    from models.network import SequenceClassifier

PRUNED = "pruned"  # the key of an architecture that lists the pruned modules, whose zeros are meant to stay


def make(options: StageSettings, name: str = "") -> Stage:
    """The stage of these settings: the class in CamelCase of models/compression/<method>.py; name: in the chain."""
    module = importlib.import_module(f"models.compression.{options.method}")
    stage: Stage = getattr(module, "".join(word.title() for word in options.method.split("_")))(options, name)
    return stage


def is_rounded(architecture: dict[str, Any]) -> bool:
    """Has a stage rounded the weights of the model that this describes, so that they cannot be trained?"""
    done = [entry["method"] for entry in architecture.get("compressed", ())]
    return any(method in METHODS and METHODS[method].kind == "quantize" for method in done)


def restore_all(model: SequenceClassifier, architecture: dict[str, Any]) -> SequenceClassifier:
    """`model`, built anew, with the structure that the stages of `architecture["compressed"]` gave it, in order.

    Each entry is a dictionary with its `method`, whose module offers restore(model, entry) -> model. Which modules
    were pruned is no structure, but is taken over, too.
    """
    if PRUNED in architecture:
        model.architecture[PRUNED] = architecture[PRUNED]
    for entry in architecture.get("compressed", ()):
        if entry["method"] not in METHODS:  # config.json comes from outside, and names a module to import
            raise ModelError(
                f"config.json was compressed by {entry['method']!r:.80}, which is no method here. Get it anew"
            )
        module = importlib.import_module(f"models.compression.{entry['method']}")
        model = module.restore(model, entry)
        model.architecture.setdefault("compressed", []).append(entry)
    return model
