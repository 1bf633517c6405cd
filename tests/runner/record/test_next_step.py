"""The command to try after a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.record.next_step import next_command, same_data
from runner.record.record import RunRecord
from tests.records import a_record, record_json


def of_data(**changes: Any) -> RunRecord:
    """A run whose settings of the data have these changes."""
    config = record_json()["config"]
    return a_record(config=config | {"data": config["data"] | changes})


def test_a_run_is_followed_by_an_answer_to_a_text_or_a_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert next_command(a_record(), tmp_path / "outputs") == "run predict 0123456789 'a text'"
    assert next_command(of_data(audio="audio"), Path("outputs")) == "run predict 0123456789 sound.wav"
    assert next_command(of_data(text_pair="b"), Path("outputs")) == "run predict 0123456789 'a text' 'a second text'"


def test_runs_on_the_same_file_are_found_by_its_path_and_not_among_all_files() -> None:
    assert same_data(of_data(name="files", path="a, b.csv")) == "data.path=a, b.csv"
    assert same_data(of_data(name="files", path=None, train_path="a.csv")) == "data.train_path=a.csv"
    assert same_data(of_data(name="imdb", path=None, train_path=None)) == "data=imdb"


def test_another_output_folder_is_part_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert next_command(a_record(), tmp_path / "my runs").endswith(" 'paths.output=my runs'")
    assert next_command(a_record(), Path("/elsewhere")).endswith(" paths.output=/elsewhere")


def test_a_language_model_is_followed_by_a_classifier_on_it() -> None:
    data = record_json()["data"] | {"task": "mlm", "primary": "val/perplexity"}
    found = next_command(a_record(data=data), Path("outputs"))
    assert found == "run model=dsn model.pretrained=0123456789 data=sst2"


def test_word_vectors_are_followed_by_a_classifier_of_their_size_on_them() -> None:
    parts = record_json()
    data = parts["data"] | {"task": "mlm", "primary": "val/perplexity"}
    config = parts["config"] | {"model": parts["config"]["model"] | {"family": "dsn"}}
    overrides = ["task=mlm", "model=dsn", "model.width=1", "model.vocab_size=300", "model.norm=none", "train.steps=9"]
    found = next_command(a_record(data=data, config=config, overrides=overrides), Path("outputs"))
    assert found == (
        "run model=dsn model.width=1 model.norm=none model.init=slice model.init_from=0123456789 data=sst2"
    )
