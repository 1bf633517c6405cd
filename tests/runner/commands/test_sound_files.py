"""`run predict` on sounds: files, tables of paths, a sound piped in, and every mistake in one line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from data.errors import DataError
from runner.commands.predict import main
from runner.deploy.exported import find_model
from runner.deploy.predictors import open_predictor
from runner.errors import USER_ERRORS, ConfigError
from tests.data.inputs.sounds import sound_file, tone
from tests.runner.deploy.sound_runs import CLIPS, write_clips, write_sound_run


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    write_sound_run(folder, "5555")
    write_clips(folder / "clips")
    (folder / "clips" / "clips.csv").write_text("path,n\na.wav,1\nflac.flac,2\nstereo.wav,3\n")
    (folder / "clips" / "notes.wav").write_text("a text that is named as a sound, which happens")
    return folder


def told(output: Path, *words: str) -> None:
    assert main(["5555", f"paths.output={output}", *words]) == 0


def predictions(output: Path, *names: str) -> list[str]:
    predictor = open_predictor(find_model("5555", output, "auto"))
    return [answer["prediction"] for answer in predictor([output / "clips" / name for name in names])]


def test_one_sound_gets_its_label_and_all_probabilities(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(output, str(output / "clips" / "a.wav"))
    lines = capsys.readouterr().out.splitlines()
    assert [lines[0]] == predictions(output, "a.wav") and len(lines) == 5
    assert all(len(line) <= 80 for line in lines)


def test_several_sounds_get_a_line_each(output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["a.wav", "flac.flac", "stereo.wav"]
    paths = [str(output / "clips" / name) for name in names]
    told(output, *paths)
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert [line["path"] for line in lines] == paths
    assert [line["prediction"] for line in lines] == predictions(output, *names)
    assert captured.err.startswith("3 rows\n")
    told(output, *paths, f"out={tmp_path / 'answers.csv'}")
    assert (tmp_path / "answers.csv").read_text().splitlines()[0] == "path,prediction,p_bell,p_dog,p_saw"


def test_a_table_names_paths_from_its_own_folder(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(output, str(output / "clips" / "clips.csv"))
    rows = [line.split(",") for line in capsys.readouterr().out.splitlines()]
    assert rows[0][:3] == ["path", "n", "prediction"]
    assert [row[2] for row in rows[1:]] == predictions(output, "a.wav", "flac.flac", "stereo.wav")


def test_a_sound_is_piped_in(output: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(CLIPS["b"])))
    told(output, "-")
    assert capsys.readouterr().out.splitlines()[0] == predictions(output, "b.wav")[0]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(bytes(20_000_001))))
    with pytest.raises(DataError, match="up to 20 MB"):
        told(output, "-")


def test_a_long_sound_is_cut_and_counted(output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "long.wav").write_bytes(sound_file(tone(300.0, 3.0)))
    told(output, str(tmp_path / "long.wav"), str(output / "clips" / "a.wav"))
    assert "2 rows, 1 of them longer than 9 frames and cut" in capsys.readouterr().err


MISTAKES = {
    "a typo": (["{clips}/a.wva"], r"a\.wva: no such file; this model reads sounds\. Try: \S*/clips/a\.wav"),
    "a folder": (["{clips}"], r"is a folder, but sound files are needed\. Try: run predict 5555 \S*clips/\*\.wav"),
    "a text": (["a lovely film"], "a lovely film: no such file; this model reads sounds. Try: the path of a sound"),
    "a text named .wav": (["{clips}/notes.wav"], r"notes\.wav is not a complete sound file"),
    "one of many": (["{clips}/a.wav", "{clips}/no.wav"], r"no\.wav: no such file"),
    "a table among files": (
        ["{clips}/a.wav", "{clips}/clips.csv"],
        r"clips\.csv is a table of paths, and only one can be read",
    ),
    "an option of tables": (["{clips}/a.wav", "delimiter=;"], r"delimiter=; is for the rows of a table"),
    "another column": (["{clips}/clips.csv", "text=n"], r"clips/1: no such file"),
    "a second text": (["{clips}/clips.csv", "text_pair=n"], "this model reads one text"),
    "no file": ([], "no text and no file"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_one_line(case: str, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, message = MISTAKES[case]
    with pytest.raises(USER_ERRORS, match=message) as found:
        told(output, *(word.format(clips=output / "clips") for word in words))
    assert "\n" not in str(found.value) and not capsys.readouterr().out


def test_an_engine_is_checked_before(output: Path) -> None:
    with pytest.raises(ConfigError, match="engine=onnx"):
        told(output, "bark.wav", "engine=onnx")
