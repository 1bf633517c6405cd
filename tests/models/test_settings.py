"""Parts as config.json holds them."""

from __future__ import annotations

from models.settings import ModelSettings, full_part, short_part


def test_a_part_without_options_is_its_name_alone() -> None:
    assert short_part({"name": "cls"}) == "cls" and full_part("cls") == {"name": "cls"}
    part = {"name": "layer_pool", "pool": "cls"}
    assert full_part(short_part(part)) == part


def test_whole_kilobytes_stay_whole_numbers_as_runs_are_named_by_them() -> None:
    found = [ModelSettings(max_kb=kb).max_kb for kb in (100, 100.0, 2.5, None)]
    assert [repr(kb) for kb in found] == ["100", "100", "2.5", "None"]
