"""An audit as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from tests.runner.audit.tables import audit_file, rows_of


def test_an_audit_is_plain_json_with_the_splits_in_their_order(tmp_path: Path) -> None:
    audit = audit_file(tmp_path, [*rows_of(60), *rows_of(4)])
    found = json.loads(json.dumps(asdict(audit), allow_nan=False))
    order = ["train", "val", "test"]
    assert [list(found[key]) for key in ("splits", "lengths", "repeats")] == [order] * 3
    assert list(found["near"]["near"]) == list(found["labels"]["classes"][0]["counts"]) == order
    assert found["task"]["metrics"][0] == "accuracy" and found["leaks"][0]["inside"] == "train"
