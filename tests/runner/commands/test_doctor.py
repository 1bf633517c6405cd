"""The hub as the doctor finds it."""

from __future__ import annotations

import pytest

from runner.commands.doctor import check_hub


def test_an_address_without_a_number_as_its_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://host:abc")
    found, is_good = check_hub()
    assert not is_good and found.startswith("HF_ENDPOINT: expected an address")
