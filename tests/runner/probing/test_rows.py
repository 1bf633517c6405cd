"""The rows of a probing task: classes of single texts, and what else is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.settings import DataSettings
from data.stores.build_once import SharedCache
from runner.errors import ConfigError
from runner.probing.probed import Probed
from runner.probing.rows import data_of_task, read_task


def test_a_task_is_one_config_of_a_data_set() -> None:
    data = DataSettings(name="xprobe", config="past_present")
    assert data_of_task(data, "tree_depth").config == "tree_depth"
    assert data_of_task(data, "xprobe").config == "past_present"


def test_tags_and_numbers_are_no_classes_of_texts(tmp_path: Path) -> None:
    cache = SharedCache(tmp_path)
    with pytest.raises(ConfigError, match="demo does not have one class per text"):
        read_task("demo", DataSettings(task="tags", demo_task="tags", demo_rows=100), cache)
    assert read_task("demo", DataSettings(demo_rows=100), cache).classes == 2


def test_a_model_that_reads_texts_apart_has_no_vector_of_a_pair(
    tmp_path: Path, probed: Probed, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [json.dumps({"a": f"good {n}", "b": "bad", "label": "ab"[n % 2]}) for n in range(60)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines), encoding="utf-8")
    settings = DataSettings(
        name="files", source="files", path=str(tmp_path / "pairs.jsonl"), text="a", text_pair="b", label="label"
    )
    task = read_task("files", settings, SharedCache(tmp_path))
    assert len(task.rows(probed, probed.network)["train"]) > 40
    monkeypatch.setattr(type(probed.network.bert.pooler), "reads_apart", True)
    with pytest.raises(ConfigError, match=r"has pairs of texts, but tiny reads each text by itself"):
        task.rows(probed, probed.network)


def test_texts_that_are_read_in_part_are_counted(tmp_path: Path, probed: Probed) -> None:
    texts = ["good " * 200, "bad " * 5, "good bad"] * 20
    lines = [json.dumps({"text": text, "label": "ab"[number % 2]}) for number, text in enumerate(texts)]
    (tmp_path / "long.jsonl").write_text("\n".join(lines), encoding="utf-8")
    settings = DataSettings(name="files", source="files", path=str(tmp_path / "long.jsonl"))
    (note,) = read_task("files", settings, SharedCache(tmp_path)).notes(probed)
    assert note.startswith("20 of 60 texts have more than 128 tokens")
    assert read_task("demo", DataSettings(demo_rows=100), SharedCache(tmp_path)).notes(probed) == []
