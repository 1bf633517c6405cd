"""The command line of a run, as its record keeps it."""

from __future__ import annotations

from collections.abc import Sequence

from runner.record.identity import FILES, affects_identity


def essential(overrides: Sequence[str]) -> list[str]:
    """Return the overrides that say what is computed, and from which files."""
    return [word for word in overrides if _is_essential(word.lstrip("+~").partition("=")[0])]


def _is_essential(key: str) -> bool:
    """Does a setting or group of this name say what is computed, rather than how and where?"""
    is_ours = key.split(".")[0] not in ("sweep", "hydra") and not key.startswith("hydra/")
    return is_ours and (affects_identity(key) or key in FILES)
