"""The status of a run in words for people: one that a search ended on purpose is not listed as killed."""

from __future__ import annotations

from typing import Protocol

ON_PURPOSE = ("paused", "pruned")  # first words of the reason in a record that says killed


class Ended(Protocol):
    """A record, a job, or a sweep's entry of a run."""

    @property
    def status(self) -> str:
        """Running, done, failed, killed; new for a job."""

    @property
    def reason(self) -> str | None:
        """Why it did not finish."""


def shown_status(run: Ended) -> str:
    """Return `paused` for a run that will be continued, `pruned` for an abandoned trial, else the status."""
    first = (run.reason or "").partition(" ")[0]
    return first if run.status == "killed" and first in ON_PURPOSE else run.status


def status_and_reason(run: Ended) -> str:
    """Return both as one sentence: `failed: out of memory`, `paused after epoch 4 of 12`, or `running`."""
    if run.reason and shown_status(run) != run.status:
        return run.reason
    return ": ".join(filter(None, (run.status, run.reason)))
