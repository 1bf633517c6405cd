"""`tests/` mirrors the packages: data/batch.py is tested by tests/data/test_batch.py.

untested.txt lists the modules that have no such file yet; what they do is tested through their neighbours and by
tests/end_to_end/. The list may only shrink.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import REPO

PACKAGES = ("data", "models", "runner")
LINES = 40  # a module of fewer lines needs no file of its own
UNTESTED = Path(__file__).with_name("untested.txt")


def modules() -> list[Path]:
    """Every module over 40 lines, relative to the repository."""
    found = (path for package in PACKAGES for path in (REPO / package).rglob("*.py"))
    return sorted(p.relative_to(REPO) for p in found if len(p.read_text(encoding="utf-8").splitlines()) > LINES)


def place_of_test(module: Path) -> Path:
    """The file that tests a module."""
    return Path("tests", module.parent, f"test_{module.name}")


def test_every_module_has_its_test_file_or_is_listed() -> None:
    missing = {module.as_posix() for module in modules() if not (REPO / place_of_test(module)).exists()}
    listed = set(UNTESTED.read_text(encoding="utf-8").split())
    assert not missing - listed, "write these tests: " + ", ".join(
        place_of_test(Path(name)).as_posix() for name in sorted(missing - listed)
    )
    assert not listed - missing, f"take these from untested.txt: {', '.join(sorted(listed - missing))}"


@pytest.mark.parametrize("path", sorted(p.relative_to(REPO) for p in (REPO / "tests").rglob("test_*.py")), ids=str)
def test_a_test_file_in_a_mirrored_folder_names_a_module_or_package(path: Path) -> None:
    folder = Path(*path.parent.parts[1:])
    if folder == Path() or folder.parts[0] not in PACKAGES:
        return  # tests/ itself, end_to_end/ and the like
    assert (REPO / folder).is_dir(), f"{path} lies in a folder that mirrors none"
