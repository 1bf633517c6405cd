"""`model.bin`: its bytes."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from models.packed.format import LARGE, pack
from runner.deploy.bundle.predict import read_model
from tests.models.packed.golden import SHA256, golden_content

DATA = "0683c13c00000000 0000003e00000000 6a05000000000000 32cc7b8c8cb7a531 9612000000000000 55810bab6aeb0000"


def test_the_golden_file_has_its_bytes() -> None:
    content = golden_content()
    assert content[:16].hex() == "42525452534d4c01400200005a27dc72"
    assert content[-48:].hex() == DATA.replace(" ", "")
    assert len(content) == 640
    assert hashlib.sha256(content).hexdigest() == SHA256


def test_arrays_are_read_as_they_were_packed() -> None:
    arrays = {
        "none": np.zeros((0, 3), np.float32),
        "bytes": np.arange(13, dtype=np.uint8),
        "prints": np.array([[1, 2**32 - 1]], np.uint32),
        "halves": np.array([0.5, -2], np.float16),
        "big_endian": np.array([1.5, -2], ">f4"),
        "turned": np.arange(6, dtype=np.int8).reshape(2, 3).T,
        "dull": np.zeros((100, 7), np.int8),
    }
    header, found = read_model(pack("ngram", ["né"], arrays, {"extra": [1]}, temperature=2), "here")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert np.array_equal(found[name], array) and found[name].dtype == array.dtype.newbyteorder("<")
        assert header["arrays"][name]["at"] % 8 == 0
    assert header["arrays"]["dull"]["coding"] == "zlib" and header["arrays"]["dull"]["bytes"] < 50
    assert header["arrays"]["bytes"]["coding"] == "raw", "deflate makes short arrays longer"
    assert (header["labels"], header["temperature"], header["extra"]) == (["né"], 2.0, [1])


def test_a_large_array_is_deflated_only_where_that_saves_a_tenth() -> None:
    table = np.random.default_rng(0).normal(size=LARGE // 4).astype(np.float32)  # 7 % shorter
    arrays = {"large": table, "small": table[:2000], "dull": np.zeros_like(table)}
    header, _ = read_model(pack("dsn", [], arrays), "here")
    assert [header["arrays"][name]["coding"] for name in arrays] == ["raw", "zlib", "zlib"]


def test_an_array_of_another_type_is_refused() -> None:
    with pytest.raises(ValueError, match="wide: float64"):
        pack("ngram", [], {"wide": np.zeros(1)})
