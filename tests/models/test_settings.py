"""Parts as config.json holds them."""

from __future__ import annotations

from models.settings import full_part, short_part


def test_a_part_without_options_is_its_name_alone() -> None:
    assert short_part({"name": "cls"}) == "cls" and full_part("cls") == {"name": "cls"}
    part = {"name": "layer_pool", "pool": "cls"}
    assert full_part(short_part(part)) == part
