"""The words of `run ui`."""

from __future__ import annotations

import pytest

from runner.commands.ui import main
from runner.errors import ConfigError


@pytest.mark.parametrize("port", ["\N{SUPERSCRIPT TWO}", "65536", "-1", "9" * 5000])
def test_what_is_no_port_is_refused(port: str) -> None:
    with pytest.raises(ConfigError, match=r"run ui: port=.*: expected a whole number, 0 to 65,535\. Try: port=0"):
        main([f"port={port}"])


def test_an_address_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"tracker\.uri=http://\[x: Invalid IPv6 URL\. Try: tracker\.uri="):
        main(["tracker.uri=http://[x"])
