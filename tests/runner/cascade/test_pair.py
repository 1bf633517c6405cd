"""Two runs that can answer as one model, and those that cannot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from runner.cascade.pair import Pair, open_pair
from runner.errors import ConfigError
from tests.runner.cascade.runs import LARGE, SMALL
from tests.runner.deploy.runs import write_run
from tests.runner.deploy.sound_runs import write_sound_run

AUTO = {"small": "auto", "large": "auto"}


def opened(output: Path, small: str = SMALL, large: str = LARGE, engines: dict[str, str] = AUTO) -> Pair:
    return open_pair({"small": small, "large": large}, output, engines)


def changed(place: Path, folder: Path, **data: Any) -> Path:
    """A copy of the large run whose record says other things of its data."""
    shutil.copytree(place / "outputs" / LARGE, folder)
    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    record["data"] |= data
    (folder / "record.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def test_a_pair_is_opened_by_ids_and_by_folders(place: Path, tmp_path: Path) -> None:
    found = opened(place / "outputs")
    assert [side.model.engine for side in found.sides] == ["numpy", "torch"]
    elsewhere = opened(tmp_path, str(place / "outputs" / SMALL), str(place / "outputs" / LARGE))
    assert [side.record.identity for side in elsewhere.sides] == [SMALL, LARGE]
    assert elsewhere.large.folder == place / "outputs" / LARGE


def test_models_of_sounds_are_refused(place: Path, tmp_path: Path) -> None:
    write_sound_run(tmp_path, "5555")
    with pytest.raises(ConfigError, match=r"large=5555: reads sounds, but a cascade reads texts"):
        opened(place / "outputs", large=str(tmp_path / "5555"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"labels": ["negative", "good"]}, "'positive' only in small; 'good' only in large"),
        ({"labels": ["positive", "negative"]}, "their labels are in another order"),
        (
            {"task": "regression", "labels": []},
            "its task is regression, but a cascade needs models that answer one label",
        ),
        ({"task": "multilabel"}, "its task is multilabel, but a cascade needs"),
    ],
)
def test_models_of_other_labels_or_tasks_are_refused(
    place: Path, tmp_path: Path, data: dict[str, Any], message: str
) -> None:
    other = changed(place, tmp_path / "other", **data)
    with pytest.raises(ConfigError, match=message):
        opened(place / "outputs", large=str(other))


def test_a_run_with_itself_and_one_that_reads_pairs_are_refused(place: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"small={SMALL} large={SMALL}: a cascade of a run with itself saves nothing"):
        opened(place / "outputs", large=SMALL)
    write_run(tmp_path, "bbbb", data="demo-pairs")
    record = json.loads((tmp_path / "bbbb" / "record.json").read_text(encoding="utf-8"))
    record["data"]["labels"] = ["negative", "positive"]
    (tmp_path / "bbbb" / "record.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ConfigError, match="one reads two texts, the other one text"):
        opened(place / "outputs", large=str(tmp_path / "bbbb"))


def test_unfinished_runs_exports_and_graphs_in_8_bits_are_refused(place: Path, tmp_path: Path) -> None:
    write_run(tmp_path, "cccc", status="running")
    with pytest.raises(ConfigError, match="run cccc is running and has no model"):
        opened(place / "outputs", large=str(tmp_path / "cccc"))
    (tmp_path / "deploy.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="is an export, but only runs keep the answers to calibration rows"):
        opened(place / "outputs", large=str(tmp_path))
    with pytest.raises(ConfigError, match="not in 8 bits"):
        opened(place / "outputs", engines=AUTO | {"large": "onnx-int8"})
    with pytest.raises(ConfigError, match="no run starts with '1234'"):
        opened(place / "outputs", small="1234")
