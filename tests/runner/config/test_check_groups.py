"""Groups that a YAML of the user's own leaves without a choice or a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError


@pytest.mark.parametrize("content", ["", "source: hub\nid: imdb\n", "- a\n- b\n"])
@pytest.mark.parametrize("group", ["data", "model"])
def test_a_file_without_a_name_is_not_taken_for_the_default(
    group: str, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / group).mkdir()
    (tmp_path / group / "mine.yaml").write_text(content, encoding="utf-8")
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match=f"{group}: the chosen YAML sets no name, .* defaults: "):
        resolve(compose([f"{group}=mine"]))


def test_a_file_that_starts_from_one_with_a_name_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.yaml").write_text("defaults: [demo, _self_]\n", encoding="utf-8")
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    assert resolve(compose(["data=mine"])).data.name == "demo"
