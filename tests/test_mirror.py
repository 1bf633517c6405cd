"""`tests/` mirrors the packages: data/batch.py is tested by tests/data/test_batch.py."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import REPO

PACKAGES = ("data", "models", "runner")
LINES = 40  # modules of at most this many lines need no test file


def modules() -> list[Path]:
    """Every module over 40 lines, relative to the repository."""
    found = (path for package in PACKAGES for path in (REPO / package).rglob("*.py"))
    return sorted(p.relative_to(REPO) for p in found if len(p.read_text(encoding="utf-8").splitlines()) > LINES)


def place_of_test(module: Path) -> Path:
    """The path of a module's test file."""
    return Path("tests", module.parent, f"test_{module.name}")


def test_every_module_has_its_test_file() -> None:
    missing = [place_of_test(module).as_posix() for module in modules() if not (REPO / place_of_test(module)).exists()]
    assert not missing, f"write these tests: {', '.join(missing)}"


def test_a_folder_of_tests_mirrors_a_package() -> None:
    tests = (path.relative_to(REPO / "tests") for path in (REPO / "tests").rglob("test_*.py"))
    strays = [str(path) for path in tests if path.parts[0] in PACKAGES and not (REPO / path.parent).is_dir()]
    assert not strays, f"no package lies where these are: {', '.join(strays)}"
