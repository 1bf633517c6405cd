"""Checks of an installation: determinism, licences."""
