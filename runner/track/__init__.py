"""Tracking: the run folder is the truth, MLflow is a mirror of it.

A run never imports mlflow (1 to 4 s): `mirror.start` hands run folders to a helper process that does, and
`sync.sync` is the only function that writes to MLflow. What an outage left out, `run sync` brings in later.
"""
