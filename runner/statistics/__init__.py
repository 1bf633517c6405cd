"""Scores' intervals and paired tests."""
