from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from runner.config.read_yaml import read_yaml


@pytest.mark.parametrize("has_libyaml", [True, False])
def test_a_file_is_read_as_safe_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_libyaml: bool) -> None:
    monkeypatch.setattr(yaml, "__with_libyaml__", has_libyaml)
    path = tmp_path / "own.yaml"
    path.write_text("name: Çay\nrows: [1, 2.5, null, true]\n", encoding="utf-8")
    assert read_yaml(path) == {"name": "Çay", "rows": [1, 2.5, None, True]}
    for bad in ("a: [1, 2", "a: !!python/object/apply:os.getcwd []"):
        path.write_text(bad, encoding="utf-8")
        with pytest.raises(yaml.YAMLError):
            read_yaml(path)
