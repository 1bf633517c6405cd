"""An upload against a stand-in of the hub: what arrives, what is removed, and what is never shown or overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from runner.deploy.hub.upload import check_name, find_token, upload_folder
from runner.errors import ConfigError
from tests.runner.deploy.hub.stand_in import TOKEN, Hub, a_hub

CARD = "---\nlicense: mit\n---\n# A model\n"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # its storage has a protocol of its own
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with a_hub() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.address)
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "onnx").mkdir()
    for name, content in {"README.md": CARD, "config.json": "{}", "model.safetensors": "w", "onnx/a.onnx": "g"}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def test_all_files_arrive_in_one_commit_of_a_private_repository(hub: Hub, folder: Path) -> None:
    where = upload_folder(folder, "films", TOKEN, is_private=True, message="First")
    assert where == f"{hub.address}/ada/films" and hub.private["ada/films"] and hub.commits == ["First"]
    sent = {path: content for path, content in hub.repositories["ada/films"].items() if path != ".gitattributes"}
    assert sent == {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_hub_without_xet_storage_gets_large_files_by_lfs(
    hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("hf_xet")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    upload_folder(folder, "films", TOKEN, is_private=True, message="First")
    assert hub.commits == ["First"] and hub.repositories["ada/films"]["model.safetensors"] == b"w"
    assert b"w" in hub.large.values() and constants.HF_HUB_DISABLE_XET is False


def test_a_second_push_replaces_the_model_and_removes_its_old_graph(hub: Hub, folder: Path) -> None:
    upload_folder(folder, "team/films", TOKEN, is_private=True, message="First")
    hub.repositories["team/films"]["notes.md"] = b"by hand"
    (folder / "onnx" / "a.onnx").unlink()
    (folder / "model.safetensors").write_text("better", encoding="utf-8")
    upload_folder(folder, "team/films", TOKEN, is_private=True, message="Second")
    files = hub.repositories["team/films"]
    assert "onnx/a.onnx" not in files and files["notes.md"] == b"by hand" and files["model.safetensors"] == b"better"


def test_nothing_goes_into_a_public_repository_unless_that_is_said(hub: Hub, folder: Path) -> None:
    hub.repositories["ada/open"], hub.private["ada/open"] = {}, False
    with pytest.raises(ConfigError, match=r"ada/open exists and is public. Try: private=false"):
        upload_folder(folder, "ada/open", TOKEN, is_private=True, message="No")
    assert not hub.repositories["ada/open"]
    upload_folder(folder, "ada/open", TOKEN, is_private=False, message="Yes")
    assert hub.repositories["ada/open"]


def test_a_refusal_is_one_line_without_the_token(hub: Hub, folder: Path) -> None:
    other = "hf_" + "y" * 34
    with pytest.raises(ConfigError, match=r"the token is not valid. Try: hf auth login") as refused:
        upload_folder(folder, "films", other, is_private=True, message="No")
    assert other not in str(refused.value) and "\n" not in str(refused.value)


def test_a_hub_that_is_away_is_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ConfigError, match=r"run push: http://127.0.0.1:9: .* Is HF_ENDPOINT right") as refused:
        upload_folder(folder, "films", TOKEN, is_private=True, message="No")
    assert TOKEN not in str(refused.value) and "\n" not in str(refused.value)


def test_without_a_token_nothing_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match=r"no token for the hub was found.*hf auth login"):
        find_token()


@pytest.mark.parametrize("name", ["", "a/b/c", "/films", "films/", "a b", "../films", "a--b", "films.git", "https://x"])
def test_a_name_that_no_repository_can_have_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"is not a repository name. Try: run push"):
        check_name(name)
    check_name("ada/films-2")
