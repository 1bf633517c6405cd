"""Settings of a view that contradict each other."""

from __future__ import annotations

import pytest

from models.views.settings import CODES, DCCA, DISTIL, ViewSettings, contradictions


def test_the_defaults_go_together() -> None:
    assert contradictions(ViewSettings()) == []
    assert contradictions(ViewSettings(name=CODES)) == []


@pytest.mark.parametrize(
    ("view", "cure"),
    [
        (ViewSettings(name=CODES, method=DCCA, k=40), "Try: view.k=32"),
        (ViewSettings(name=CODES, method=DCCA, batch_size=255), "Try: view.batch_size=256"),
        (ViewSettings(name=CODES, method=DCCA, width=200), "Try: view.batch_size=1600"),
    ],
)
def test_what_cannot_be_correlated_is_refused_with_the_values_that_work(view: ViewSettings, cure: str) -> None:
    (message,) = contradictions(view)
    assert message.endswith(cure)


def test_distillation_alone_has_no_such_limits() -> None:
    assert contradictions(ViewSettings(name=CODES, method=DISTIL, k=40, batch_size=8)) == []
