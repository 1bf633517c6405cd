"""The files beside a vocabulary: which wins, and what is said of one that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.errors import DataError
from data.inputs.tokenizer_files import fetch_file, files_beside, named_tokens, why_no_vocabulary


def test_the_config_of_a_tokenizer_wins_over_its_map_of_special_tokens(tmp_path: Path) -> None:
    (tmp_path / "special_tokens_map.json").write_text(json.dumps({"pad_token": "<a>", "unk_token": "<u>"}))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"pad_token": {"content": "<b>"}, "mask_token": None}))
    found = files_beside(str(tmp_path))
    assert named_tokens(found) == {"pad_token": "<b>", "unk_token": "<u>"}


def test_a_folder_without_a_file_has_none_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    assert fetch_file(str(tmp_path), "vocab.txt") is None and files_beside(str(tmp_path)) == {}
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(DataError, match=r"tokenizer_config.json is not JSON .*model.tokenizer=train"):
        files_beside(str(tmp_path))


def test_a_vocabulary_that_is_not_read_is_named_with_the_way_to_convert_it(tmp_path: Path) -> None:
    assert "has neither tokenizer.json nor vocab.txt" in why_no_vocabulary(str(tmp_path))
    (tmp_path / "spm.model").write_bytes(b"pieces")
    assert "as spm.model only" in why_no_vocabulary(str(tmp_path))
    assert f"AutoTokenizer.from_pretrained('{tmp_path}')" in why_no_vocabulary(str(tmp_path))
