"""The error of this package; its text is meant for the user."""

from __future__ import annotations


class TrackError(RuntimeError):
    """MLflow or its store cannot be used; the text says why and what to do. A run never fails because of it."""
