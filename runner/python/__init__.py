"""Bertier in Python and in notebooks: search, train, load and predict.

    import bertier
    found = bertier.best(frame, text="message", label="category", max_kb=1000, minutes=5)
    found.model.predict(["my card was declined"]), found.table, found.path
    bertier.load("1f0c3a9b2d").predict_proba(["a lovely film"])
    bertier.run("model=dsn data=imdb").score

After `import bertier`, transformers' Auto classes open the folders that runs save. Torch is loaded when it is needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .shadows import shadowed

if problem := shadowed():
    raise ImportError(problem)
importlib.import_module("models")  # registers the classes of saved folders with transformers

if TYPE_CHECKING:
    from .model import Model as Model
    from .model import load as load
    from .runs import RunFailed as RunFailed
    from .runs import run as run
    from .search import best as best

PLACES = {"best": "search", "load": "model", "Model": "model", "run": "runs", "RunFailed": "runs"}
__all__ = ["Model", "RunFailed", "best", "load", "run"]


def __getattr__(name: str) -> Any:
    """Load a function's module when it is first asked for."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return vars(importlib.import_module(f"{__name__}.{PLACES[name]}"))[name]
