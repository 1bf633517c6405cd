"""The pairs that conf/blimp/ describes, and files of the user's own beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.sources.pair_source import chosen_paradigms
from runner.errors import ConfigError
from runner.minimal_pairs.wanted import Wanted, pair_source


def test_blimp_has_67_paradigms_and_turblimp_16() -> None:
    assert [len(pair_source(name).paradigms) for name in ("blimp", "turblimp", "files")] == [67, 16, 0]
    assert chosen_paradigms(pair_source("blimp"), ["wh_island", "passive_1", "wh_island"]) == ("wh_island", "passive_1")


def test_a_result_is_named_by_its_pairs_its_score_and_its_rounding() -> None:
    assert Wanted(pair_source("blimp"), "word_l2r", compression="int8").name == "blimp_word_l2r_int8"


def test_a_yaml_of_the_user_is_found_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    (tmp_path / "blimp").mkdir()
    path = tmp_path / "blimp" / "mine.yaml"
    path.write_text("path: pairs.csv\ngood: a\nbad: b\n", encoding="utf-8")
    assert pair_source("mine").path == "pairs.csv"
    for text, problem in {
        "godo: a": "keys other than",
        "paradigms: a": "paradigms: 'a' is no",
        "x: [": "cannot be read",
    }.items():
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=problem):
            pair_source("mine")
