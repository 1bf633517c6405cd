"""How a run ended, in words."""

from __future__ import annotations

import pytest

from runner.record.status import shown_status, status_and_reason
from tests.records import a_record


@pytest.mark.parametrize(
    ("status", "reason", "shown", "sentence"),
    [
        ("killed", "paused after epoch 4 of 12", "paused", "paused after epoch 4 of 12"),
        ("killed", "pruned after epoch 2 by study a", "pruned", "pruned after epoch 2 by study a"),
        ("killed", "interrupted", "killed", "killed: interrupted"),
        ("failed", "paused", "failed", "failed: paused"),
        ("running", None, "running", "running"),
    ],
)
def test_what_a_search_ended_on_purpose_is_not_called_killed(
    status: str, reason: str | None, shown: str, sentence: str
) -> None:
    record = a_record(status=status, reason=reason)
    assert (shown_status(record), status_and_reason(record)) == (shown, sentence)
