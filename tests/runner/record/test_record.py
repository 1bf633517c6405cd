"""Records of earlier releases read as before, a record comes back as it was written, and others are refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from runner.record.record import RecordError, RunRecord

# Runs of the first releases: bags of words and encoders on classes, pairs, numbers and masked words, and chains.
OLD = [
    json.loads(line) for line in Path(__file__).with_name("old_records.jsonl").read_text(encoding="utf-8").splitlines()
]


def lost(before: Any, after: Any, place: str = "") -> list[str]:
    """Where a value of `before` is not the same in `after`; null and empty values may be missing."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [what for key, value in before.items() for what in lost(value, after.get(key), f"{place}.{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [what for number, pair in enumerate(zip(before, after)) for what in lost(*pair, f"{place}.{number}")]
    return [] if before == after or (not before and after is None) else [place]


@pytest.mark.parametrize("content", OLD, ids=lambda content: str(content["identity"]))
def test_an_old_record_reads_as_before(content: dict[str, Any]) -> None:
    record = RunRecord.from_json(content)
    assert lost(content, record.to_json()) == []
    assert record.headline == content["metrics"][content["data"]["primary"]]
    assert record.model == content["config"]["model"]["name"] and record.seed == content["config"]["seed"]
    assert record.compression == list(content["config"]["compression"])
    assert [entry.name for entry in record.stages] == [entry["name"] for entry in content["stages"]]
    assert record.environment.numbers == "0.2.0"
    assert list(record.to_json())[:2] == ["schema_version", "status"], "found by the first bytes of the file"


def test_the_old_records_are_of_every_kind() -> None:
    assert {content["data"]["task"] for content in OLD} == {"classification", "regression", "mlm"}
    assert len({json.dumps(sorted(content["config"]["compression"])) for content in OLD}) >= 4
    assert len(OLD) >= 12


def test_a_setting_is_found_by_its_dotted_key() -> None:
    record = RunRecord.from_json(OLD[0])
    assert record.setting("optimizer.lr") == OLD[0]["config"]["optimizer"]["lr"]
    assert record.setting("train.no_such_key", 7) == 7


def test_the_positive_class_is_class_1_where_a_record_does_not_say() -> None:
    content = copy.deepcopy(next(content for content in OLD if len(content["data"]["labels"]) == 2))
    content["data"].pop("positive", None)
    assert RunRecord.from_json(content).data.positive_name == content["data"]["labels"][1]
    content["data"]["positive"] = content["data"]["labels"][0]
    assert RunRecord.from_json(content).data.positive_index == 0


def test_a_record_without_a_name_is_refused() -> None:
    with pytest.raises(RecordError, match="name is missing"):
        RunRecord.from_json({key: value for key, value in OLD[0].items() if key != "name"})
