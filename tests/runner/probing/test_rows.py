"""The rows of a probing task: classes of single texts, and what else is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.settings import DataSettings
from data.stores.build_once import SharedCache
from runner.errors import ConfigError
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
