"""The hub and the store as the doctor finds them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from runner.commands.doctor import check_hub, check_store


def test_an_address_without_a_number_as_its_port_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://host:abc")
    found, is_good = check_hub()
    assert not is_good and found.startswith("HF_ENDPOINT: expected an address")


@pytest.mark.parametrize("name", ["100%25", "what?", "#1"])
def test_a_store_in_a_folder_of_any_name_is_read(tmp_path: Path, name: str) -> None:
    output = tmp_path / name
    output.mkdir()
    with sqlite3.connect(output / "mlflow.db") as connection:
        connection.execute("create table runs (name text)")
    found, is_good = check_store(output)
    assert is_good and found.endswith("0 runs, check ok")


def test_a_store_that_cannot_be_made_is_no_good(tmp_path: Path) -> None:
    assert check_store(tmp_path / "new")[1]
    (tmp_path / "file").write_text("x", encoding="utf-8")
    found, is_good = check_store(tmp_path / "file" / "outputs")
    assert not is_good and "cannot be written to" in found and "Try: " in found
