"""The shared cache: built once, repaired when damaged, and never seen half-built."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from data.stores.build_once import SharedCache, checksum, locked


def read(folder: Path) -> str | None:
    text = (folder / "text").read_text(encoding="utf-8")
    return text if text != "damaged" else None


def build(folder: Path) -> None:
    (folder / "text").write_text("built", encoding="utf-8")


def never(folder: Path) -> None:
    raise AssertionError("built twice")


def test_an_entry_is_built_once(tmp_path: Path) -> None:
    told = list[str]()
    cache = SharedCache(tmp_path, told.append)
    for builder in (build, never):
        assert cache.open_or_build(tmp_path / "a" / "entry", read, builder, damaged="damaged") == "built"
    assert not told


def test_a_damaged_entry_is_told_and_built_again(tmp_path: Path) -> None:
    told = list[str]()
    cache = SharedCache(tmp_path, told.append)
    cache.open_or_build(tmp_path / "entry", read, build, damaged="")
    (tmp_path / "entry" / "text").write_text("damaged", encoding="utf-8")
    assert cache.open_or_build(tmp_path / "entry", read, build, damaged="entry is damaged") == "built"
    assert told == ["entry is damaged"]


def test_a_build_that_fails_leaves_nothing_and_the_next_one_succeeds(tmp_path: Path) -> None:
    def fails(folder: Path) -> None:
        build(folder)
        raise RuntimeError

    cache = SharedCache(tmp_path)
    with pytest.raises(RuntimeError):
        cache.open_or_build(tmp_path / "entry", read, fails, damaged="")
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []
    (tmp_path / "entry.part").mkdir()  # as a killed process leaves it
    assert cache.open_or_build(tmp_path / "entry", read, build, damaged="") == "built"


def test_the_hook_is_entered_only_while_another_holds_the_lock(tmp_path: Path) -> None:
    entered = list[str]()
    held = FileLock(tmp_path / "lock")

    @contextmanager
    def waiting() -> Iterator[None]:
        entered.append("waits")
        held.release()
        yield
        entered.append("has it")

    with locked(tmp_path / "lock", waiting):
        pass
    assert not entered
    held.acquire()
    with SharedCache(tmp_path, waiting=waiting).locked(tmp_path / "lock"):
        assert entered == ["waits", "has it"]


def test_the_checksum_is_of_the_bytes(tmp_path: Path) -> None:
    for name, text in (("a", "x"), ("b", "x"), ("c", "y")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    one, same, other = (checksum(tmp_path / name) for name in "abc")
    assert one == same != other
