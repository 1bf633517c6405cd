"""Tasks: what a model is trained on and scored by. One module per kind of label.

Each module offers `loss`, `mean_loss`, `metrics`, `interval` and `columns`; those whose rows have labels also
`majority` and `constant_predictions`. The modules are imported when a run needs one, since they load torch.
"""

from __future__ import annotations

import importlib
from types import ModuleType

TASKS: dict[str, str] = {
    "classification": "runner.tasks.classification",
    "regression": "runner.tasks.regression",
    "mlm": "runner.tasks.mlm",
}


def get(kind: str) -> ModuleType:
    """Return the module of a task kind ("classification", "regression", "mlm"); KeyError naming the known kinds."""
    if kind not in TASKS:
        raise KeyError(f"unknown task '{kind}'; known: {', '.join(TASKS)}")
    return importlib.import_module(TASKS[kind])
