"""Searching with Optuna: objectives, space, study, pruning inside a run, and the report at the end."""
