"""Which saved model a run id or a folder names."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.record.json_files import write_json
from runner.record.model_folder import folder_of


def saved_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}", encoding="utf-8")
    return folder


def test_a_folder_names_itself_or_the_model_in_it(tmp_path: Path) -> None:
    model = saved_model(tmp_path / "run" / "model")
    assert folder_of(str(model), "outputs") == folder_of(str(model.parent), "outputs") == model


def test_a_folder_without_a_model_is_nothing_to_start_from(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no saved model"):
        folder_of(str(tmp_path), "outputs")


def test_an_unknown_run_is_refused_by_the_key_that_named_it(tmp_path: Path) -> None:
    write_json(saved_model(tmp_path / "0123456789" / "model").parent / "record.json", {"identity": "0123456789"})
    with pytest.raises(ConfigError, match="teacher=abc: no such folder, and no run starts with"):
        folder_of("abc", str(tmp_path), "compression.distil.teacher")
