"""The activation store: sizes, whole or not at all, shared, and never another encoder's."""

from __future__ import annotations

import errno
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import DataError
from data.stores.build_once import SharedCache
from data.stores.frozen_states import (
    FrozenStates,
    open_frozen_states,
    refuse_other_states,
    states_bytes,
    states_key,
    states_offsets,
)

LENGTHS = np.array([3, 1, 2])
PARTS: dict[str, Any] = {"encoder": "a", "texts": "b", "layers": "all", "tokens": "all", "dtype": "fp32"}
ENCODERS = {
    "tiny": (2, 128),
    "mini": (4, 256),
    "small": (4, 512),
    "medium": (8, 512),
    "base": (12, 768),
    "large": (24, 1024),
}
# Of one text: its first token in bf16, 128 tokens in fp32 and in bf16.
BYTES = {
    "tiny": (768, 196_608, 98_304),
    "mini": (2_560, 655_360, 327_680),
    "small": (5_120, 1_310_720, 655_360),
    "medium": (9_216, 2_359_296, 1_179_648),
    "base": (19_968, 5_111_808, 2_555_904),
    "large": (51_200, 13_107_200, 6_553_600),
}


def fill(values: np.ndarray, offsets: np.ndarray) -> None:
    values[:] = np.arange(values.size).reshape(values.shape)


def made(path: Path, parts: dict[str, Any] = PARTS, **changes: Any) -> FrozenStates:
    options = {"fill": fill, "cache": SharedCache(path.parent)} | changes
    return open_frozen_states(path, parts, LENGTHS, (2, 4), **options)


@pytest.mark.parametrize("encoder", BYTES)
def test_a_text_takes_as_many_bytes_as_computed(encoder: str) -> None:
    layers, hidden = ENCODERS[encoder]
    one = np.array([128])
    sizes = [
        states_bytes(one, first, layers + 1, hidden, dtype)
        for first, dtype in ((1, "bf16"), (None, "fp32"), (None, "bf16"))
    ]
    assert tuple(sizes) == BYTES[encoder]


def test_rows_lie_end_to_end_without_padding(tmp_path: Path) -> None:
    store = made(tmp_path / "s")
    assert store.values.shape == (6, 2, 4) and store.offsets.tolist() == [0, 3, 4, 6]
    assert isinstance(store.values, np.memmap) and (tmp_path / "s" / "values").stat().st_size == 6 * 2 * 4 * 4
    assert store.values[5, 1].tolist() == [44, 45, 46, 47]
    assert states_offsets(LENGTHS, 2).tolist() == [0, 2, 3, 5]


def test_a_store_is_built_once_and_then_opened_by_all(tmp_path: Path) -> None:
    calls = []

    def slow(values: np.ndarray, offsets: np.ndarray) -> None:
        calls.append(1)
        fill(values, offsets)

    threads = [threading.Thread(target=made, args=(tmp_path / "s",), kwargs={"fill": slow}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [1]


@pytest.mark.parametrize("name", ["values", "offsets", "meta.json"])
def test_a_damaged_store_is_made_again_and_says_so(tmp_path: Path, name: str) -> None:
    expected = np.array(made(tmp_path / "s").values)
    raw = bytearray((tmp_path / "s" / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (tmp_path / "s" / name).write_bytes(raw if name != "meta.json" else b"{")
    said: list[str] = []
    assert np.array_equal(made(tmp_path / "s", cache=SharedCache(tmp_path, said.append)).values, expected)
    assert "damaged" in said[0]


def test_a_build_that_dies_leaves_nothing(tmp_path: Path) -> None:
    def die(values: np.ndarray, offsets: np.ndarray) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(tmp_path / "s", fill=die)
    assert [path.name for path in tmp_path.iterdir()] == ["s.lock"]


def test_a_disk_that_is_full_is_an_error_and_no_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match="No space left"):
        made(tmp_path / "s")
    assert [path.name for path in tmp_path.iterdir()] == ["s.lock"]


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [("encoder", "z", "of another encoder"), ("texts", "z", "of other texts"), ("dtype", "bf16", "type")],
)
def test_a_store_of_something_else_is_refused_and_left_alone(tmp_path: Path, part: str, value: str, words: str) -> None:
    made(tmp_path / "s")
    other = PARTS | {part: value}
    for attempt in (refuse_other_states, made):
        with pytest.raises(DataError, match=f"{words}.*cache.path=null"):
            attempt(tmp_path / "s", other)
    assert states_key(other) != states_key(PARTS)
    made(tmp_path / "s")


def test_a_full_disk_is_told_before_anything_is_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DataError, match=r"need 0.0 GB, .* has 0.0 GB left. Try: paths.cache="):
        made(tmp_path / "s")
