"""The reader of model.bin: scores of the golden file, and every reason to refuse a file."""

from __future__ import annotations

import json
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.packed.elias_fano import encode
from models.packed.format import pack
from runner.deploy.bundle.predict import TOKEN, Model, ModelFileError, Ngram, read_model
from tests.models.packed.golden import SCORES, golden_content


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    """The golden file in a folder."""
    (tmp_path / "model.bin").write_bytes(golden_content())
    return tmp_path


def with_header(**changes: object) -> bytes:
    """The golden file with other entries in its header, under a right checksum."""
    header, arrays = read_model(golden_content(), "")
    kept = {key: header[key] for key in ("grams", "bits", "count", "low", "lower", "token")}
    return pack(str(changes.pop("kind", "ngram")), header["labels"], arrays, kept | changes)


def test_the_golden_scores_and_probabilities(golden: Path) -> None:
    model = Model(golden)
    found = model.scores(list(SCORES))
    assert found.dtype == np.float64 and model.labels == ("neg", "pos")
    wanted = np.array(list(SCORES.values()))
    assert np.allclose(found, np.stack([0 * wanted[:, 0], wanted[:, 0]], 1), atol=1e-6, rtol=0)
    answers = model(list(SCORES))
    assert np.allclose([answer["probabilities"]["pos"] for answer in answers], wanted[:, 1], atol=1e-6, rtol=0)
    assert [answer["prediction"] for answer in answers] == ["pos" if z > 0 else "neg" for z, _ in SCORES.values()]
    assert model("good") == answers[0], "one text has one answer"


def test_no_texts_have_no_answers(golden: Path) -> None:
    model = Model(golden / "model.bin")
    assert model([]) == [] and model.scores([]).shape[0] == 0


def test_a_model_without_n_grams_answers_by_its_bias() -> None:
    code = encode(np.zeros(0), 8)
    header = {"grams": 2, "bits": 8, "count": 0, "low": code.low_bits, "lower": True, "token": TOKEN, "labels": []}
    arrays = {"low": code.low, "high": code.high, "rows": np.zeros((1, 0), np.int8)}
    ones = {"scale": np.ones(1, np.float32), "bias": np.ones(1, np.float32)}
    assert Ngram(header | {"temperature": 1.0}, arrays | ones).score("a b") == [1.0]


def test_a_lone_surrogate_is_read_as_the_replacement_character(golden: Path) -> None:
    model = Model(golden)
    assert np.array_equal(model.scores(["good \ud800x"]), model.scores(["good \ufffdx"]))


@pytest.mark.parametrize("wrong", [None, 3])
def test_neither_a_text_nor_a_list_is_refused(golden: Path, wrong: Any) -> None:
    with pytest.raises(TypeError, match=f"expected a list of texts, but got one of type {type(wrong).__name__}"):
        Model(golden)(wrong)


@pytest.mark.parametrize("wrong", [None, b"good", 3, ["good"]])
def test_what_is_no_text_is_refused_with_its_place(golden: Path, wrong: object) -> None:
    model = Model(golden)
    with pytest.raises(TypeError, match=f"text 2 of 3 is of type {type(wrong).__name__}"):
        model(["good", wrong, "bad"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="text 2 of 3"):
        model.scores(["good", wrong, "bad"])  # type: ignore[list-item]


def test_of_two_scores_that_differ_by_less_than_their_probabilities_the_higher_is_the_answer(golden: Path) -> None:
    assert Model(golden).answer([0.0, 1e-17])["prediction"] == "pos", "as the network and the page answer"


def with_text(header: bytes, data: bytes = b"") -> bytes:
    """A file with this header, under a right checksum."""
    header += b" " * (-len(header) % 8)
    return CONTENT[:8] + struct.pack("<II", len(header), zlib.crc32(header)) + header + data


CONTENT = golden_content()
NO_STREAM = {"at": 0, "bytes": 8, "coding": "zlib", "crc": zlib.crc32(b"12345678"), "dtype": "u1", "shape": [9]}
DAMAGED = {
    "empty": (b"", "not a model.bin"),
    "first byte": (b"X" + CONTENT[1:], "not a model.bin"),
    "format": (CONTENT[:7] + b"\2" + CONTENT[8:], "has format 2, but this reader reads format 1"),
    "cut in the header": (CONTENT[:200], "header is damaged or cut short"),
    "cut before the header": (CONTENT[:10], "header is damaged or cut short"),
    "header": (CONTENT[:30] + b"?" + CONTENT[31:], "header is damaged or cut short"),
    "last byte missing": (CONTENT[:-1], "639 bytes, its header says 640"),
    "a byte too many": (CONTENT + b"\0", "641 bytes, its header says 640"),
    "rows": (CONTENT[:-8] + b"\1" * 8, "damaged in rows"),
    "high": (with_header(count=5), "6 values in its sorted list, its header says 5"),
    "kind": (with_header(kind="tree"), "kind 'tree', this reader knows"),
    "a newer field": (with_header(stride=2), "has stride, unknown to this reader. Get a newer one"),
    "another pattern": (with_header(token="(a+)+$"), "split differently"),
    "bits below 0": (with_header(bits=40), "lacks what kind 'ngram' needs"),
    "a header that is a list": (with_text(b"[]"), "does not follow format 1"),
    "a header that is no JSON": (with_text(b"{"), "does not follow format 1"),
    "arrays in a list": (with_text(b'{"arrays":[],"data":0}'), "does not follow format 1"),
    "no deflated array": (
        with_text(json.dumps({"arrays": {"rows": NO_STREAM}, "data": 8}).encode(), b"12345678"),
        "does not follow format 1",
    ),
    "labels": (with_text(b'{"arrays":{},"data":0,"kind":"ngram","labels":3}'), "lacks what kind 'ngram' needs"),
    "no bits": (pack("ngram", ["a", "b"], {}, {}), "lacks what kind 'ngram' needs"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_refused_with_the_reason(tmp_path: Path, damage: str) -> None:
    content, message = DAMAGED[damage]
    (tmp_path / "model.bin").write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        Model(tmp_path)


def test_a_list_that_does_not_ascend_is_refused(tmp_path: Path) -> None:
    header, arrays = read_model(CONTENT, "")
    low = np.frombuffer(bytes(len(arrays["low"])), np.uint8)
    fields = {key: header[key] for key in ("grams", "bits", "count", "low", "lower", "token")}
    high = np.packbits([1] * 6 + [0] * 8, bitorder="little")
    (tmp_path / "model.bin").write_bytes(pack("ngram", ["neg", "pos"], arrays | {"low": low, "high": high}, fields))
    with pytest.raises(ModelFileError, match="is not in ascending order"):
        Model(tmp_path)


def test_an_array_that_inflates_to_more_than_its_shape_is_refused() -> None:
    content = bytearray(pack("ngram", [], {"rows": np.zeros(1000, np.int8)}))
    size = struct.unpack_from("<I", content, 8)[0]
    header = bytes(content[16 : 16 + size]).replace(b'"shape":[1000]', b'"shape":[  10]')
    content[12 : 16 + size] = zlib.crc32(header).to_bytes(4, "little") + header
    with pytest.raises(ModelFileError, match="rows has 11 bytes, its shape says 10"):
        read_model(bytes(content), "here")


def test_a_model_of_forty_thousand_n_grams_loads_and_answers_in_no_time(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    prints = np.sort(random.permutation(1 << 20)[:40_000]) << 6
    code = encode(prints, 26)
    ones = np.ones(1, np.float32)
    arrays = {"scale": ones, "bias": ones, "high": code.high, "low": code.low}
    arrays["rows"] = random.integers(-127, 128, (1, 40_000), np.int8)
    fields = {"grams": 2, "bits": 26, "count": 40_000, "low": code.low_bits, "lower": True, "token": r"\w+|[^\w\s]"}
    (tmp_path / "model.bin").write_bytes(pack("ngram", ["neg", "pos"], arrays, fields))
    start = time.process_time()
    model = Model(tmp_path)
    assert time.process_time() - start < 0.03, "6 ms of CPU measured"
    text, samples = " ".join(f"word{number}" for number in range(21)), []
    for _ in range(200):
        start = time.perf_counter()
        model(text)
        samples.append(time.perf_counter() - start)
    assert np.percentile(samples, 10) < 5 * 21e-6, "21 us measured; a busy machine is slower, but not in one of ten"


def test_a_very_long_text_is_answered(golden: Path) -> None:
    text = "not bad, " * 100_000
    assert Model(golden).scores([text, "not bad, not"]).round(9)[:, 1].std() == 0


@pytest.mark.parametrize("change", [{"grams": 1 << 40}, {"low": 1 << 40}, {"grams": 0}, {"characters": [2, 1 << 30]}])
def test_sizes_in_a_header_that_would_fill_the_memory_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    (tmp_path / "model.bin").write_bytes(with_header(**change))
    with pytest.raises(ModelFileError, match="grams of"):
        Model(tmp_path)
