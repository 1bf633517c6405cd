"""Another package under one of our general names is named."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from runner.python.shadows import MARKS, shadowed
from tests.conftest import REPO


def test_our_own_packages_are_found() -> None:
    assert shadowed() == ""
    for name, mark in MARKS.items():
        assert (REPO / name / mark).is_file()


@pytest.mark.parametrize("name", ["models.py", "data/__init__.py"])
def test_a_module_that_comes_first_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    package = name.removesuffix(".py").split("/")[0]
    for module in [one for one in sys.modules if one.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    found = shadowed()
    assert f"its package {package!r}" in found and str(path) in found and "Try: rename that file or folder" in found


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.python.shadows.MARKS", {"no_such_package_here": "x"})
    assert "which is missing" in shadowed()
