"""Tracking: the run folder is the truth, MLflow is a mirror of it.

A run never imports mlflow (1 to 4 s): `mirror.start_mirror` hands run folders to a helper process that does. Only
`sync.sync_run` and `sweeps.sync_sweep` write to MLflow. After an outage, `run sync` sends what is missing.
"""
