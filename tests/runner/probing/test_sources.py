"""Tasks come from a data set or a treebank."""

from __future__ import annotations

from pathlib import Path

from data.settings import DataSettings
from data.stores.build_once import SharedCache
from runner.probing.sources import read_tasks
from runner.probing.wanted import Source
from tests.runner.probing.treebanks.made import write_treebank


def test_a_source_has_a_name_and_the_tasks_that_are_named(tmp_path: Path) -> None:
    cache, data = SharedCache(tmp_path / "cache"), DataSettings(demo_rows=100)
    name, tasks = read_tasks(Source(), ["demo"], data, cache)
    assert (name, [task.name for task in tasks]) == ("demo", ["demo"])
    folder = write_treebank(tmp_path / "ud")
    name, tasks = read_tasks(Source(str(folder), 100), ["pos", "structural_depth", "obj_number"], data, cache)
    assert (name, [task.name for task in tasks]) == ("en_made", ["pos", "structural_depth", "made_obj_number"])
