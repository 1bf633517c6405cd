"""The garbage collector while many objects are made."""

from __future__ import annotations

import gc

import pytest

from runner.machine.collector import paused_collector


def test_collection_is_as_before_after_a_pause_an_error_and_a_pause_inside_another() -> None:
    assert gc.isenabled()
    with pytest.raises(ValueError, match="inside"), paused_collector():
        with paused_collector():
            assert not gc.isenabled()
        assert not gc.isenabled()
        raise ValueError("inside")
    assert gc.isenabled()
