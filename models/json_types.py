"""The type of what JSON files of models hold. Standard library only."""

from __future__ import annotations

from typing import Any

# A config.json (ours, or one of the many kinds of transformers), what a compression stage writes into it, or the state
# that an interrupted stage goes on from. Who reads a value knows or checks what it is.
JsonObject = dict[str, Any]
