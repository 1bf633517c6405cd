"""Networks: built from settings, saved as folders, opened again, and compressed.

`import models` makes transformers' Auto classes open the folders we save, whichever is imported first, and
imports neither torch nor transformers itself.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

MODEL_TYPE = "bertier"  # in config.json of models that are not a stock class

# A module of transformers, and ours that registers with it. Not `transformers` itself: importing that for a
# tokenizer must not load torch.
REGISTER = {
    "transformers.models.auto.configuration_auto": "models.checkpoints.transformers_config",
    "transformers.models.auto.modeling_auto": "models.checkpoints.transformers_model",
}


class _AfterImport(importlib.abc.MetaPathFinder):
    """Imports our module right after the one of transformers that it registers with."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module's own spec, with a loader that also imports ours; None for all other modules."""
        if fullname not in REGISTER:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                importlib.import_module(REGISTER[fullname])

            # A loader object belongs to this one spec, so nothing else sees the changed method.
            spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _AfterImport())
for _theirs, _ours in REGISTER.items():
    if _theirs in sys.modules:
        importlib.import_module(_ours)
