"""Config folders of the user: which flags name them, what they add, what they replace, and what is of no use."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli import dispatch
from runner.config.compose import compose, groups
from runner.config.folders import BEFORE, BEHIND, config_roots, file_of, ours, take_config_folders
from runner.errors import ConfigError

TICKETS = "defaults: [files, _self_]\nname: tickets\npath: tickets.csv\ntext: message\nlabel: topic\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a dataset and an optimizer, in a place with a space in its name."""
    for name in (BEFORE, BEHIND):
        monkeypatch.setenv(name, "")  # so that the test's own value is forgotten with it
    place = tmp_path / "my conf"
    (place / "data").mkdir(parents=True)
    (place / "optimizer").mkdir()
    (place / "strange").mkdir()
    (place / "data" / "tickets.yaml").write_text(TICKETS)
    (place / "optimizer" / "adamw.yaml").write_text("name: adamw\nlr: 0.007\n")
    (place / "strange" / "x.yaml").write_text("a: 1\n")
    return place


@pytest.mark.parametrize("form", [["--config-dir", "{}"], ["--config-dir={}"], ["-cd", "{}"]])
def test_a_dataset_of_a_folder_is_a_choice_like_ours(form: list[str], folder: Path) -> None:
    words = [word.format(folder) for word in form]
    assert take_config_folders(["model=dsn", *words, "data=tickets"]) == ["model=dsn", "data=tickets"]
    assert "tickets" in groups()["data"] and "imdb" in groups()["data"] and "strange" not in groups()
    assert file_of("data", "tickets").parent == folder / "data"


def test_a_folder_of_the_user_does_not_replace_our_choices(folder: Path) -> None:
    take_config_folders(["--config-dir", str(folder)])
    config = compose(["data=tickets", "optimizer.weight_decay=0.5"])
    assert (config.data.label, config.data.source, config.optimizer.lr) == ("topic", "files", 0.005)


def test_a_file_in_a_folder_that_is_searched_first_replaces_ours(folder: Path) -> None:
    assert take_config_folders(["-cp", str(folder), "seed=1"]) == ["seed=1"]
    assert config_roots() == (folder, ours())
    assert compose(["model=dsn"]).optimizer.lr == 0.007
    assert file_of("optimizer", "sgd") == ours() / "optimizer" / "sgd.yaml"


def test_what_follows_two_dashes_is_text(folder: Path) -> None:
    words = ["predict", "1f0c", "--", "--config-dir", "x"]
    assert take_config_folders(words) == words


MISTAKES = {
    "no folder": (["--config-dir"], "needs a folder"),
    "a flag": (["--config-dir", "--cfg"], "needs a folder"),
    "misspelt": (["--config-dir", "{}/../my comf"], "did you mean"),
    "too deep": (["-cd", "{}/data"], "Name the folder above it: run -cd '"),
    "no group": (["-cp", "{}/.."], "none of its folders has the name of a group"),
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_folder_that_is_of_no_use_is_refused(words: list[str], said: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        take_config_folders([word.format(folder) for word in words])


def test_mistakes_in_choices_of_a_folder_are_told_with_the_cure(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "data" / "bare.yaml").write_text("name: bare\npath: a.csv\n")
    assert dispatch(["--config-dir", str(folder), "data=ticket"]) == 2
    assert "data=ticket: no such data; did you mean tickets?" in capsys.readouterr().err
    (folder / "data" / "tickets.yaml").write_text(TICKETS + "txet: message\n")
    assert dispatch(["--config-dir", str(folder), "data=tickets", "seed=2"]) == 2
    assert "txet" in capsys.readouterr().err
    assert dispatch(["--config-dir", str(folder), "data=bare"]) == 2
    assert "A YAML of your own needs: defaults: [files, _self_]" in capsys.readouterr().err
    assert dispatch(["list", "data", "--config-dir", str(folder)]) == 0
    assert "tickets" in capsys.readouterr().out
