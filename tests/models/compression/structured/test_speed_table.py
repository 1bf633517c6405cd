"""The latency table as it lies in the cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.compression.structured.speed_table import _read_table


@pytest.mark.parametrize("content", ["", "{", "[]", '{"facts": {}}'])
def test_a_damaged_table_is_measured_again(content: str, tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    assert _read_table(path) is None
    path.write_text('{"rounds": {"whole": [2.0, 1.0, 3.0]}}')
    kept = _read_table(path)
    assert kept is not None and kept.median("whole") == 2.0
    path.write_text(content)
    assert _read_table(path) is None
