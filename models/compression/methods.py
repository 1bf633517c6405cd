"""Finds the code of a compression method by name: the stage that applies it, and the restoring of a saved model.

`settings.METHODS` lists the names. A method's module is models/compression/<method>.py. It has a Stage class with that
name in CamelCase and, if the method changes a model's structure, `restore(model, entry)`.
"""

from __future__ import annotations

import importlib

from models.compression.pruning.masks import PRUNED
from models.compression.settings import METHODS
from models.compression.settings.stage import StageSettings
from models.compression.stage import Stage
from models.errors import ModelError
from models.heads.linear import LinearHead
from models.json_types import JsonObject


def make_stage(options: StageSettings, name: str = "") -> Stage:
    """The stage with these settings; name: its name in the chain."""
    module = importlib.import_module(f"models.compression.{options.method}")
    class_name = "".join(word.title() for word in options.method.split("_"))
    stage: Stage = getattr(module, class_name)(options, name)
    return stage


def is_quantized(architecture: JsonObject) -> bool:
    """Has a stage quantized the model that this config.json describes? Its weights can then no longer be trained."""
    methods = [entry["method"] for entry in architecture.get("compressed", ())]
    return any(method in METHODS and METHODS[method].phase == "quantize" for method in methods)


def restore_stages(model: LinearHead, architecture: JsonObject) -> LinearHead:
    """Give a newly built model the structure that the compression stages gave the saved one, stage by stage.

    `architecture["compressed"]` has an entry for each stage, with its `method`. The names of pruned modules are copied
    as well. Raises ModelError for an unknown method.
    """
    if PRUNED in architecture:
        model.architecture[PRUNED] = architecture[PRUNED]
    for entry in architecture.get("compressed", ()):
        if entry["method"] not in METHODS:  # config.json is untrusted, and names a module to import
            raise ModelError(
                f"config.json was compressed by {entry['method']!r:.80}, which is not a known method. Download it again"
            )
        module = importlib.import_module(f"models.compression.{entry['method']}")
        model = module.restore(model, entry)
        model.architecture.setdefault("compressed", []).append(entry)
    return model
