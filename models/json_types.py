"""The type of the contents of models' JSON files. Standard library only."""

from __future__ import annotations

from typing import Any

# A config.json (ours, or that of any transformers model), what a compression stage writes into it, or the state from
# which an interrupted stage resumes. The code that reads a value knows or checks its type.
JsonObject = dict[str, Any]
