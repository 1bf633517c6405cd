"""Records that are read together are what each is by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.record.folder import read_records, record_in
from runner.record.record import RecordError
from runner.record.record_reader import RecordReader, members_of
from tests.runner.compare.folders import answers_with, write_run

OLD = Path(__file__).parent / "old_records.jsonl"


def record_of(output: Path, **more: Any) -> dict[str, Any]:
    labels, answers = answers_with(15, 20)
    return write_run(output, "model=dsn", labels=labels, answers=answers, **more)


def test_records_are_the_same_as_when_each_is_read_by_itself(tmp_path: Path) -> None:
    lines = OLD.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        for indent in (2, None):
            folder = tmp_path / f"{number}-{indent}"
            folder.mkdir()
            (folder / "record.json").write_text(json.dumps(json.loads(line), indent=indent), encoding="utf-8")
    for seed in range(3):
        record_of(tmp_path, seed=seed)
    folders = sorted(path for path in tmp_path.iterdir())
    found, damaged = read_records(folders)
    assert found == [record_in(folder) for folder in folders] and not damaged


def test_what_is_the_same_text_is_held_once(tmp_path: Path) -> None:
    reader = RecordReader()
    records = [record_of(tmp_path, seed=seed) for seed in range(2)]
    first, second = (reader.parse(json.dumps(record, indent=2), "a") for record in records)
    assert first and second and first.seed != second.seed
    assert first.environment is second.environment and first.config["data"] is second.config["data"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"metrics": {"test/accuracy": "high"}}, "metrics.test/accuracy"),
        ({"config": {"seed": 0}}, "config.model is missing"),
        ({"data": {"primary": "test/luck", "rows": {}, "task": "classification"}}, "test/luck"),
        ({"status": "fine"}, "status is 'fine'"),
        ({"overrides": None}, "overrides is missing"),
    ],
)
def test_a_damaged_record_is_said_to_be_the_same_way(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    whole, damaged = record_of(tmp_path), record_of(tmp_path, seed=1)
    folder = tmp_path / damaged["identity"]
    (folder / "record.json").write_text(json.dumps(damaged | change, indent=2), encoding="utf-8")
    found, problems = read_records([tmp_path / whole["identity"], folder, tmp_path / "nowhere"])
    assert [record.identity for record in found] == [whole["identity"]]
    assert said in problems[folder.name]
    with pytest.raises(RecordError) as alone:
        record_in(folder)
    assert str(alone.value) == problems[folder.name]


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"a": 1}', '{\n  "a": [1,\n  "b": 2]\n}', '{\n  "a": 1,\n}', "\ud800"]
)
def test_other_layouts_are_left_to_the_plain_reader(text: str) -> None:
    assert RecordReader().parse(text, "a") is None


def test_members_are_cut_where_their_object_has_a_comma_alone() -> None:
    content = {"a": 'x,\n  "b": {', 'k"': {"c": [1, 2], "d": {}}, "e": []}
    members = members_of(json.dumps(content, indent=2), "\n")
    assert {key: value for one in members for key, value in json.loads(f'{{"{one}}}').items()} == content
