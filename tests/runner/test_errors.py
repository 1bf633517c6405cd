"""The message about a path that cannot be used: which one of two it names, and the reason."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from runner.errors import as_user_error, full_disk, unreadable, unusable_folder

FULL = "No space left on device"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file in it."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}", encoding="utf-8")
    return tmp_path


def full(source: str, target: str) -> str:
    raise OSError(errno.ENOSPC, FULL, source, None, target)


def test_of_a_copy_the_path_that_is_written_is_named(folder: Path) -> None:
    (said,) = unreadable(OSError(errno.ENOSPC, FULL, str(folder / "model"), None, str(folder / "copy")))
    assert said == f"{folder / 'copy'}: {FULL}. Free some space, or try another path"
    (said,) = unreadable(OSError(errno.ENOENT, "No such file or directory", "gone"))
    assert said == "gone: No such file or directory. Try another path, or fix that one"


def test_errors_of_copying_a_folder_are_told_by_the_first(folder: Path) -> None:
    with pytest.raises(shutil.Error) as found:
        shutil.copytree(folder / "model", folder / "copy", copy_function=full)
    expected = f"{folder / 'copy' / 'config.json'}"
    assert unreadable(found.value) == [f"{expected}: {FULL}. Free some space, or try another path"]
    assert str(as_user_error(found.value)).startswith(f"{FULL} ({expected}). Free some space")


def test_what_is_no_fault_of_a_disk_stays_what_it_was() -> None:
    error = OSError(errno.EINVAL, "Invalid argument")
    with pytest.raises(OSError, match="Invalid argument"):
        as_user_error(error)
    assert unreadable(shutil.Error("source and copy are the same")) == [
        "source and copy are the same. Try another path, or fix that one"
    ]


def test_an_array_of_which_a_part_is_written_fills_the_disk() -> None:
    assert str(as_user_error(OSError("12000 requested and 8176 written"))).startswith(f"{FULL}. Free some space")


def test_a_folder_that_cannot_be_made_is_the_users_error_and_other_errors_are_not() -> None:
    assert unusable_folder(FileExistsError(errno.EEXIST, "File exists", "out")) == [
        "out: File exists. Try another path, or fix that one"
    ]
    assert unusable_folder(OSError(errno.ENOSPC, FULL))[0].startswith(FULL)
    with pytest.raises(OSError, match="Invalid"):
        unusable_folder(OSError(errno.EINVAL, "Invalid argument"))


@pytest.mark.parametrize("reason", [
    "OSError: [Errno 28] No space left on device: 'outputs/x'",
    "ConfigError: No space left on device (outputs/x). Free some space",
    "OSError: 800 requested and 100 written",
])  # fmt: skip
def test_a_run_that_failed_for_a_full_disk_is_told_from_its_reason(reason: str) -> None:
    assert "No space left on device. Free some space" in str(full_disk(reason))


def test_a_run_that_failed_otherwise_has_no_full_disk() -> None:
    assert full_disk("ValueError: 3 classes") is None and full_disk("") is None
