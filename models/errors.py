"""What a user can get wrong about models."""

from __future__ import annotations


class ModelError(ValueError):
    """A model that cannot be built or loaded as asked: the message says why and how to go on."""
