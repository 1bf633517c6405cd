"""The error of models that no model.bin can hold."""

from __future__ import annotations

from models.errors import ModelError


class NotPacked(ModelError):
    """A model that cannot be written as a model.bin: the message is the reason."""
