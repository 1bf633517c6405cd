"""Optional dependencies: named before any work, with the command that installs them."""

from __future__ import annotations

import pytest

from runner.errors import ConfigError
from runner.machine import extras


def test_an_installed_extra_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extras.MODULES, "serve", ("json", "csv"))
    assert extras.missing_extra("serve") is None
    extras.require_extra("serve", "run serve")


@pytest.mark.parametrize(
    ("modules", "told"),
    [(("json", "no_such_module"), "no_such_module is not"), (("no_such", "nor_this"), "no_such, nor_this are not")],
)
def test_what_is_missing_is_named_with_its_cure(
    modules: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(extras.MODULES, "onnx", modules)
    with pytest.raises(ConfigError, match=rf"format=onnx: {told} installed\. Try: pip install 'bertier\[onnx\]'"):
        extras.require_extra("onnx", "format=onnx")
