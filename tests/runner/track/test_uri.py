from __future__ import annotations

from pathlib import Path

import pytest

from runner.track.settings import TrackerSettings
from runner.track.uri import mask, masked, resolve, sqlite_path, sqlite_uri, without_credentials


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://user:secret@host:5000/x", "http://***@host:5000/x"),
        ("postgresql+psycopg2://me:p@ss:word@db/mlflow", "postgresql+psycopg2://***@db/mlflow"),
        ("https://token@host", "https://***@host"),
        ("https://host/api?token=secret&page=2", "https://host/api?token=***&page=2"),
        ("['tracker.uri=http://a:secret@h', 'seed=1']", "['tracker.uri=http://***@h', 'seed=1']"),
        ("https://h/x?access_token=abcdefgh&a=1", "https://h/x?access_token=***&a=1"),
        ("https://h/x?X-Amz-Signature=abcdefgh", "https://h/x?X-Amz-Signature=***"),
        ("Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer ***"),
        ("token hf_abcdefghijklmnopqrstuvwxyz012345", "token ***"),
        ("model hf_bert_base", "model hf_bert_base"),
        ("http://host/path@2", "http://host/path@2"),
        ("write to me@example.org about http://host", "write to me@example.org about http://host"),
    ],
)
def test_mask_hides_credentials_and_nothing_else(text: str, shown: str) -> None:
    assert mask(text) == shown


def test_secrets_of_the_environment_are_hidden_and_other_variables_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "geheimnis-7")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t/key")
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "harmless")
    monkeypatch.setenv("SHORT_TOKEN", "dsn")
    content = {"a": ["geheimnis-7", 3, None], "b": {"c": "x s3cr3t/key harmless dsn"}}
    assert masked(content) == {"a": ["***", 3, None], "b": {"c": "x *** harmless dsn"}}


@pytest.mark.parametrize("name", ["plain", "with space", "100%", "a?b#c", "ümlaut"])
def test_a_database_in_any_folder_is_found_again_by_its_address(tmp_path: Path, name: str) -> None:
    from sqlalchemy import make_url

    database = tmp_path / name / "mlflow.db"
    assert sqlite_path(sqlite_uri(database)) == database
    assert make_url(sqlite_uri(database)).database == str(database)


def test_a_relative_database_does_not_depend_on_the_folder_one_is_in_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve(TrackerSettings(uri="sqlite:///x.db"), tmp_path) == f"sqlite:///{tmp_path}/x.db"
    assert resolve(TrackerSettings(), Path("outputs")) == f"sqlite:///{tmp_path}/outputs/mlflow.db"


def test_a_server_address_is_split_from_its_credentials() -> None:
    assert without_credentials("http://me:p%40ss@host:5000/x") == ("http://host:5000/x", "me", "p@ss")
    assert without_credentials("http://host:5000") == ("http://host:5000", None, None)
