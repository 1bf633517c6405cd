"""Records, curves, predictions and sweeps that were edited by hand, cut off or made up: 1,200 at full size."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.fuzzing import check_manners, command, damaged, files_in, many
from tests.runner.compare.folders import write_group, write_sweep

NASTY: list[Any] = [
    None, True, 0, -1, 10**400, 1.5, float("nan"), float("inf"), "", "x", [], {}, [[]], {"": {}}, "../../../etc",
    "\x1b]0;owned\x07", "=1+1", "<script>alert(1)</script>", "\ud800", "\u202e", "a\x00b", "[red]x[/red]", "y" * 10_000,
    ["a", 1], {"a": 1}, "done", "running", "hydra.run.dir=/tmp", "2026-01-01", "${oc.env:HOME}", "|", "'", "/etc",
]  # fmt: skip
VERBS = [
    ["show"], ["show", "{0}"], ["compare"], ["compare", "--format", "csv"], ["compare", "--format", "markdown"],
    ["compare", "--out", "outputs/report", "--baseline", "model=dsn"], ["compare", "a_sweep", "--claims"],
    ["diff", "{0}", "{1}"], ["explain", "{0}"], ["export", "{0}", "format=safetensors"], ["predict", "{0}", "a text"],
    ["compression=[int8]", "from={0}", "--cfg", "job"], ["plan", "model=dsn", "data=demo", "tracker=none", "seed=0,1"],
]  # fmt: skip


def places(node: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a JSON structure."""
    yield before
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from places(value, (*before, key))


def changed(node: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Return the structure with another value in one place; the value `...` removes it."""
    if not place:
        return None if value is ... else value
    copy = dict(node) if isinstance(node, dict) else list(node)
    if len(place) == 1 and value is ...:
        del copy[place[0]]
    else:
        copy[place[0]] = changed(node[place[0]], place[1:], value)
    return copy


class Outputs:
    """An output folder with four finished runs and a sweep, put back after each input."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "outputs"
        made = [*write_group(self.folder, "model=dsn", right=[150, 160]),
                *write_group(self.folder, "model=bert-tiny", right=[170, 171])]  # fmt: skip
        claim = {"claim": "c", "metric": "test/accuracy", "value": 0.8, "where": {"model": "dsn"}}
        write_sweep(self.folder, made, claims=[claim], baseline="model=dsn")
        self.names = [record["identity"] for record in made]
        self.whole = {path: path.read_bytes() for path in files_in(self.folder)}

    def restore(self) -> None:
        """Restore the folder."""
        for path in files_in(self.folder) - set(self.whole):
            path.unlink()
        for path, content in self.whole.items():
            path.write_bytes(content)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outputs]:
    folder, before = tmp_path_factory.mktemp("records"), Path.cwd()
    os.chdir(folder)
    yield Outputs(folder)
    os.chdir(before)


def watch(outputs: Outputs, words: list[str]) -> None:
    """Run a verb on the damaged folder; nothing may appear beside it."""
    try:
        check_manners(*command(*(word.format(*outputs.names) for word in words)))
        assert [path.name for path in outputs.folder.parent.iterdir()] == ["outputs"]
        assert not [path for path in files_in(outputs.folder) if path.name.endswith(".part")]
    finally:
        outputs.restore()


@many(800)
@given(st.data(), st.sampled_from(VERBS), st.sampled_from(["record.json", "sweep.json"]))
def test_any_value_in_any_place_of_a_record(outputs: Outputs, data: st.DataObject, verb: list[str], name: str) -> None:
    path = sorted(path for path in outputs.whole if path.name == name)[0]
    if name == "record.json":
        path = outputs.folder / outputs.names[0] / name
    content = json.loads(outputs.whole[path])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(list(places(content))))
        content = changed(content, place, data.draw(st.sampled_from([..., *NASTY])))
    path.write_text(json.dumps(content), encoding="utf-8")
    watch(outputs, verb)


@many(400)
@given(st.data(), st.sampled_from(VERBS))
def test_any_file_of_a_run_damaged(outputs: Outputs, data: st.DataObject, verb: list[str]) -> None:
    path = data.draw(st.sampled_from(sorted(outputs.whole)))
    path.write_bytes(data.draw(damaged(outputs.whole[path], [b"NaN", b"null", b"[", b'"', b"\n", b"\xff"])))
    watch(outputs, verb)
