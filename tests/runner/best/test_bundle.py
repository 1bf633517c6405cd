from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from runner.best import bundle
from runner.best.bundle import read_bundle, write_bundle
from runner.deploy.bundle.calibration import hash_of
from runner.deploy.cascade import write_cascade
from runner.deploy.exported import DESCRIPTION_FILE, ExportedModel
from runner.errors import ConfigError
from runner.record.json_files import write_json
from runner.record.record import RunRecord
from tests.records import a_record

WEIGHTS = hashlib.sha256(b"weights").hexdigest()


def write(place: Path, identity: str, name: str = "model.bin", content: bytes = b"weights") -> None:
    """Write the bundle of a run, of one file with the weights."""
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_bytes(content)
    facts = {"bytes": len(content), "sha256": hash_of(place / name)}
    write_json(place / "manifest.json", {"model": identity, "files": {name: facts}})


def test_a_bundle_of_the_run_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = a_record()
    write(tmp_path / "bundle", record.identity)
    monkeypatch.setattr(bundle, "_write", lambda *_, **__: pytest.fail("it was there already"))
    found = write_bundle(record, tmp_path, tmp_path / "bundle")
    assert (found.folder, found.sha256, found.size, found.problem) == (tmp_path / "bundle", WEIGHTS, 7, None)


def test_a_bundle_of_another_run_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = a_record()
    write(tmp_path / "bundle", "another")
    assert read_bundle(tmp_path / "bundle", record.identity) is None
    monkeypatch.setattr(bundle, "_write", lambda record, _folder, place, **_: write(place, record.identity))
    assert write_bundle(record, tmp_path, tmp_path / "bundle").sha256 == WEIGHTS


@pytest.mark.parametrize("content", [b"damage", None])
def test_a_bundle_whose_weights_are_damaged_or_gone_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    record, place = a_record(), tmp_path / "bundle"
    write(place, record.identity)
    if content is None:
        (place / "model.bin").unlink()
    else:
        (place / "model.bin").write_bytes(content)
    monkeypatch.setattr(bundle, "_write", lambda record, _folder, place, **_: write(place, record.identity))
    monkeypatch.setattr(bundle, "compute_forked", lambda function: function())
    assert write_bundle(record, tmp_path, place).problem is None
    assert (place / "model.bin").read_bytes() == b"weights"


def graphs(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Let bundles be graphs of 90 bytes, or of 25 in 8 bits; which were written."""
    rounded = list[bool]()

    def write_graph(record: RunRecord, _folder: Path, place: Path, *, int8: bool = False, **_: object) -> None:
        rounded.append(int8)
        write(place, record.identity, "model.onnx", bytes(25 if int8 else 90))
        write_json(place / DESCRIPTION_FILE, {"engine": "onnx-int8" if int8 else "onnx"})

    monkeypatch.setattr(bundle, "_write", write_graph)
    monkeypatch.setattr(bundle, "compute_forked", lambda function: function())
    return rounded


@pytest.mark.parametrize(("most", "engine"), [(30, None), (None, "onnx-int8")])
def test_a_graph_that_an_interruption_left_is_rounded_by_the_next_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: float | None, engine: str | None
) -> None:
    record, rounded, place = a_record(), graphs(monkeypatch), tmp_path / "bundle"
    bundle._write(record, tmp_path, place)
    for _ in range(2):
        found = write_bundle(record, tmp_path, place, most, (), engine)
        assert (found.size, found.engine) == (25, "onnx-int8")
    assert rounded == [False, True], "the second time it is there"


def test_a_graph_in_8_bits_that_is_still_too_large_is_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, rounded = a_record(), graphs(monkeypatch)
    for _ in range(2):
        assert write_bundle(record, tmp_path, tmp_path / "bundle", most=20).size == 25
    assert rounded == [False, True]


def test_a_graph_over_the_cap_is_rounded_to_int8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record, rounded = a_record(), graphs(monkeypatch)
    assert write_bundle(record, tmp_path, tmp_path / "bundle", most=30).size == 25
    assert write_bundle(record, tmp_path, tmp_path / "other", most=90).size == 90
    assert rounded == [False, True, False]
    rounded.clear()
    assert write_bundle(record, tmp_path, tmp_path / "fast", most=90, engine="onnx-int8").size == 25
    assert rounded == [True], "its time was judged in 8 bits"


def test_two_models_are_known_by_all_their_files_and_the_threshold(tmp_path: Path) -> None:
    files = [
        tmp_path / "small" / "model.bin",
        *(tmp_path / "large" / name for name in ("model.onnx", "tokenizer.json")),
    ]
    for file in files:
        file.parent.mkdir(exist_ok=True)
        file.write_text("content", encoding="utf-8")
    models = [
        ExportedModel(tmp_path / part, engine, "0" * 10, part, "classification", ("a", "b"), ("text",), 8, "")
        for part, engine in (("small", "numpy"), ("large", "onnx"))
    ]
    write_json(tmp_path / "record.json", {"identity": "both"})

    def found(threshold: float = 0.9, changed: int = 0) -> str | None:
        write_cascade(tmp_path, "both", models, {"name": "both", "threshold": threshold})
        made = read_bundle(tmp_path, "both")
        assert made is not None and made.is_cascade and made.size == 21 + changed
        return made.sha256

    first, hashes = found(), {found(), found(0.8)}
    assert first in hashes and len(hashes) == 2
    for number, file in enumerate(files):
        file.write_text("contents", encoding="utf-8")
        hashes.add(found(changed=number + 1))
    assert len(hashes) == 5


def test_a_model_without_a_bundle_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConfigError("answers for every word")

    monkeypatch.setattr(bundle, "_write", refuse)
    assert write_bundle(a_record(), tmp_path, tmp_path / "bundle").problem == "answers for every word"
