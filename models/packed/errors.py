"""The error for models that cannot be written as a model.bin."""

from __future__ import annotations

from models.errors import ModelError


class NotPacked(ModelError):
    """A model cannot be written as a model.bin; the message is the reason."""
