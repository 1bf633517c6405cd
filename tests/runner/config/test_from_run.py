"""`from=<run id>`: the words of a finished run are taken over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data.quoting import hydra_setting
from runner.config.from_run import expand_from
from runner.errors import ConfigError
from runner.record.json_files import write_json
from tests.records import a_record


def finished_run(output: Path, **changes: Any) -> str:
    """A run folder with a record and an empty model; its identity."""
    record = a_record(identity="0123456789", status="done", **changes)
    (output / record.identity / "model").mkdir(parents=True)
    (output / record.identity / "model" / "config.json").write_text("{}", encoding="utf-8")
    write_json(output / record.identity / "record.json", record.to_json())
    return record.identity


def test_words_without_from_stay_as_they_are() -> None:
    assert expand_from(["model=dsn"]) == ["model=dsn"]


def test_the_command_of_the_run_is_taken_over_but_for_what_is_typed(tmp_path: Path) -> None:
    finished_run(tmp_path, overrides=["model=dsn", "seed=3", "force=true", "hydra.run.dir=/", "tracker.uri=x"])
    words = ["from=0123", "compression=[int8]", "seed=4", f"paths.output={tmp_path}"]
    model = tmp_path / "0123456789" / "model"
    assert expand_from(words) == ["model=dsn", *words[1:], f"finished={model}"]


def test_the_folder_of_the_run_may_need_quotes(tmp_path: Path) -> None:
    output = tmp_path / 'my runs, [new] "ü"'
    finished_run(output, overrides=["model=dsn"])
    words = ["compression=[int8]", hydra_setting("paths.output", str(output))]
    model = output / "0123456789" / "model"
    assert expand_from(["from=0123", *words]) == ["model=dsn", *words, hydra_setting("finished", str(model))]


@pytest.mark.parametrize(("readout", "words"), [("mean", ["model/readout=mean"]), ("pair", [])])
def test_a_run_on_pairs_keeps_the_readout_that_was_the_default_then(
    readout: str, words: list[str], tmp_path: Path
) -> None:
    config = a_record().config
    config["data"]["text_pair"], config["model"]["family"] = "b", "dsn"
    config["model"]["readout"] = {"name": readout}
    finished_run(tmp_path, overrides=["model=dsn"], config=config)
    rest = ["from=0123", "compression=[int8]", f"paths.output={tmp_path}"]
    assert expand_from(rest)[:-3] == ["model=dsn", *words]


def test_a_stage_is_needed_and_a_finished_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is for a compression stage"):
        expand_from(["from=0123"])
    identity = finished_run(tmp_path)
    path = tmp_path / identity / "record.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"done"', '"failed"'), encoding="utf-8")
    with pytest.raises(ConfigError, match="is failed"):
        expand_from(["from=0123", "compression=[int8]", f"paths.output={tmp_path}"])


@pytest.mark.parametrize(
    ("word", "is_refused"),
    [("model=bert-mini", True), ("model.dropout=0.5", True), ("model/readout=mean", True), ("model.dims=9", True),
     ("model.freeze=encoder", False), ("model=dsn", False), ("model.width=0.5", False), ("model.dims=null", False),
     ("data.max_length=9", False)],
)  # fmt: skip
def test_a_word_that_would_change_the_model_of_the_run_is_refused(word: str, is_refused: bool, tmp_path: Path) -> None:
    config = a_record().config
    config["model"] |= {"name": "dsn", "width": 0.5, "dropout": 0.1, "dims": None, "readout": {"name": "sum"}}
    finished_run(tmp_path, overrides=["model=dsn"], config=config)
    words = ["from=0123", "compression=[int8]", f"paths.output={tmp_path}", word]
    if not is_refused:
        assert word in expand_from(words)
        return
    with pytest.raises(ConfigError, match="its model stays as it is") as caught:
        expand_from(words)
    assert word in str(caught.value)
