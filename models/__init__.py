"""Builds networks from settings, saves them as folders, opens those again, and compresses networks.

`import models` lets transformers' Auto classes open the folders we save, whichever of the two is imported first.
It imports neither torch nor transformers itself.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

MODEL_TYPE = "bertier"  # in config.json of models that no stock class of transformers computes

# Modules of transformers, and our modules that register classes with them. Not `transformers` itself: importing it
# for a tokenizer must not load torch.
REGISTER = {
    "transformers.models.auto.configuration_auto": "models.checkpoints.transformers_config",
    "transformers.models.auto.modeling_auto": "models.checkpoints.transformers_model",
}


class _AfterImport(importlib.abc.MetaPathFinder):
    """Imports our module right after the transformers module that it registers with."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's spec, with a loader that also imports our module; None for modules not in REGISTER."""
        if fullname not in REGISTER:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                importlib.import_module(REGISTER[fullname])

            # A loader object belongs to one spec only, so nothing else sees the changed method.
            spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _AfterImport())
for _theirs, _ours in REGISTER.items():
    if _theirs in sys.modules:
        importlib.import_module(_ours)
