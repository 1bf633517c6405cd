"""Environment variables to set before importing mlflow: short timeouts and no usage statistics."""

from __future__ import annotations

import os

# With mlflow's defaults (7 retries of 120 s) a run waits for many minutes when a server is down.
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # seconds
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    # Usage statistics go to a host the user never named; without a network they also delay the exit by 10 s.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}


def set_mlflow_environment() -> None:
    """Set the variables of mlflow that the user has not set; call this before the first import of mlflow."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
