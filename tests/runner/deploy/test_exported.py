"""deploy.json comes back as it was written, and what is damaged or not offered is refused with the cure."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from runner.deploy.exported import ExportedModel, check_format, find_model, place_of_export, read_export
from runner.errors import ConfigError


@pytest.fixture
def exported(tmp_path: Path) -> ExportedModel:
    found = ExportedModel(tmp_path, "onnx", "aaaa", "dsn", "classification", ("neg", "pos"), ("text",), 128, "2026")
    (tmp_path / "deploy.json").write_text(json.dumps(found.describe()), encoding="utf-8")
    (tmp_path / "model.onnx").write_bytes(b"graph")
    return found


def test_an_export_is_read_as_it_was_written(exported: ExportedModel) -> None:
    assert read_export(exported.folder) == exported
    assert not exported.is_pair and not exported.reads_words
    assert find_model(str(exported.folder), Path("nowhere"), "auto") == exported


def test_an_export_keeps_what_its_task_must_know_and_nothing_where_that_is_nothing(exported: ExportedModel) -> None:
    assert not {"options", "facts"} & exported.describe().keys()
    tagger = replace(exported, options={"language": "tr"}, facts={"positive": 0})
    (exported.folder / "deploy.json").write_text(json.dumps(tagger.describe()), encoding="utf-8")
    assert read_export(exported.folder) == tagger


@pytest.mark.parametrize("kind", ["onnx", "onnx-int8", "hub", "page", "model2vec"])
def test_only_a_bundle_is_a_zip(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "my model.zip"
    with pytest.raises(ConfigError, match=r"this format is a folder.* Try: 'out=.*/my model'$"):
        place_of_export(tmp_path, kind, place)
    for zipped in ("bundle", "bundle-int8", "docker"):
        assert place_of_export(tmp_path, zipped, place) == place


def test_an_export_of_an_unknown_task_is_refused(exported: ExportedModel) -> None:
    content = exported.describe() | {"task": "clairvoyance"}
    (exported.folder / "deploy.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"deploy\.json is damaged .*clairvoyance"):
        read_export(exported.folder)


def test_an_export_without_its_weights_or_with_a_damaged_description_is_refused(exported: ExportedModel) -> None:
    exported.weights.unlink()
    with pytest.raises(ConfigError, match=r"has no model\.onnx\. Try: run export"):
        read_export(exported.folder)
    (exported.folder / "deploy.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"deploy\.json is damaged .*Try: run export"):
        read_export(exported.folder)


def test_an_engine_that_the_folder_is_not_for_is_refused(exported: ExportedModel) -> None:
    with pytest.raises(ConfigError, match="is for onnx"):
        find_model(str(exported.folder), Path("nowhere"), "torch")
    with pytest.raises(ConfigError, match="expected one of auto"):
        find_model(str(exported.folder), Path("nowhere"), "tensorflow")


@pytest.mark.parametrize(
    ("form", "int8", "cure"),
    [("torch", False, "format=safetensors"), ("onxx", False, "Try: format=onnx"), ("safetensors", True, "int8=true")],
)
def test_formats_that_are_not_offered_name_the_one_to_take(form: str, int8: bool, cure: str) -> None:
    with pytest.raises(ConfigError, match=cure):
        check_format(form, int8)
    check_format("onnx", True)


def test_a_folder_that_answers_nothing_is_told_from_a_run(tmp_path: Path) -> None:
    folder = tmp_path / "copied" / "model"
    folder.mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"holds no model\. Try: the folder of a run, outputs/<id>, the model in it"):
        find_model(str(folder), Path("nowhere"), "auto")
    (folder / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"neither the record of its run nor deploy\.json.*Try: .*format=safetensors"):
        find_model(str(folder), Path("nowhere"), "auto")


def test_a_file_is_told_from_a_run(tmp_path: Path) -> None:
    (tmp_path / "model.zip").write_bytes(b"PK")
    with pytest.raises(ConfigError, match=r"model\.zip is a file, but a model is a folder\..* must be unzipped"):
        find_model(str(tmp_path / "model.zip"), Path("nowhere"), "auto")
