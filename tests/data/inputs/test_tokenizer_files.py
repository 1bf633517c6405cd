"""The files beside a vocabulary: which wins, and what is said of one that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import _CACHED_NO_EXIST
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from data.errors import DataError
from data.inputs.bare_texts import read_facts
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


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("special_tokens_map.json", [], "special_tokens_map.json holds no JSON object"),
        ("tokenizer_config.json", 3, "tokenizer_config.json holds no JSON object"),
        ("tokenizer_config.json", {"do_lower_case": "yes"}, "do_lower_case is 'yes', not true or false"),
        ("tokenizer_config.json", {"strip_accents": 3}, "strip_accents is 3, not true or false"),
        ("tokenizer_config.json", {"pad_token": {"text": "x"}}, "pad_token is {'text': 'x'}, not a text"),
        ("tokenizer_config.json", {"bare_texts": 5}, "bare_texts is 5, not an object"),
    ],
)
def test_entries_of_another_type_are_refused_with_their_name(
    tmp_path: Path, name: str, content: object, said: str
) -> None:
    (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(DataError, match=f"{said}.*Go on with"):
        beside = files_beside(str(tmp_path))
        named_tokens(beside)
        read_facts(str(tmp_path), beside, False, "auto")


def test_a_vocabulary_that_is_not_read_is_named_with_the_way_to_convert_it(tmp_path: Path) -> None:
    assert "has neither tokenizer.json nor vocab.txt" in why_no_vocabulary(str(tmp_path))
    (tmp_path / "spm.model").write_bytes(b"pieces")
    assert "as spm.model only" in why_no_vocabulary(str(tmp_path))
    assert f"AutoTokenizer.from_pretrained('{tmp_path}')" in why_no_vocabulary(str(tmp_path))


def test_a_hub_that_fails_for_a_file_is_not_taken_for_one_that_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cased vocabulary without its tokenizer_config.json would lower-case every text."""
    answer = httpx2.Response(429, request=httpx2.Request("HEAD", "http://mirror/file"))

    def fails(source: str, name: str, **_: object) -> str:
        raise LocalEntryNotFoundError("not cached") from HfHubHTTPError("refused", response=answer)

    module = "data.inputs.tokenizer_files"
    monkeypatch.setattr("huggingface_hub.hf_hub_download", fails)
    monkeypatch.setattr(f"{module}.offline_if_unreachable", list)
    monkeypatch.setattr(f"{module}.is_offline", lambda: False)
    with pytest.raises(
        DataError, match=r"special_tokens_map\.json of owner/name is unavailable .*429 Too Many Requests"
    ):
        files_beside("owner/name")
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: _CACHED_NO_EXIST)
    assert files_beside("owner/name") == {}, "known not to be there"
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(f"{module}.is_offline", lambda: True)
    assert files_beside("owner/name") == {}, "a cache that was filled elsewhere has all there is"
