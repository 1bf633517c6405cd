"""`run push` uploads a finished run, says where it is, and shows no token; its mistakes are told before anything is."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import constants

from runner.commands.push import main
from runner.errors import ConfigError
from tests.runner.deploy.hub.stand_in import TOKEN, a_hub
from tests.runner.deploy.runs import write_run


def test_a_run_is_pushed_with_its_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path, "dddd", family="dsn", readout={"name": "mean"}, is_packed=True)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with a_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        assert main(["ddd", "films", "license=mit", f"paths.output={tmp_path}"]) == 0
        said = capsys.readouterr()
        assert f"{hub.address}/ada/films: uploaded, private" in said.out and TOKEN not in said.out + said.err
        files = hub.repositories["ada/films"]
        assert files["README.md"].startswith(b"---\nlicense: mit\n") and {"model.bin", "config.json"} <= files.keys()
        assert hub.commits == ["Upload small demo seed=0 (run dddd)"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "of which run"),
        (["aaaa"], "to which repository"),
        (["aaaa", "a/b/c"], "is not a repository name"),
        (["aaaa", "films", "private=maybe"], "expected true or false"),
        (["aaaa", "films", "public=true"], "is not one of its options"),
        (["aaaa", "films"], "no token for the hub"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(
    words: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match=reason):
        main(words)
    assert not any(tmp_path.iterdir())
