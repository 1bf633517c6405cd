"""Tracking: the run folder is the source of truth, MLflow a mirror of it.

A run never imports mlflow (1 to 4 s): `mirror.start_mirror` passes run folders to a helper process that does. Only
`sync.sync_run` and `sweeps.sync_sweep` write runs to MLflow. After an outage, `run sync` sends what is missing.
"""
