"""Costs and speed of a model."""
