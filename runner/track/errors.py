"""The one error of this package; its text is meant for the user."""

from __future__ import annotations


class TrackError(RuntimeError):
    """MLflow or its store cannot be used: what was seen, how to go on. A run never fails because of it."""
