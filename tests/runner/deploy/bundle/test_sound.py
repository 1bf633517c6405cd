"""The reader of sounds in a bundle: the samples are those of soundfile, and what is no sound is refused in one line."""

from __future__ import annotations

import builtins
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.inputs import sound_file as training
from data.inputs.sound_file import SoundError, open_sound
from runner.deploy.bundle import sound as reader
from runner.deploy.bundle.predict import Model
from runner.deploy.bundle.sound import read_sound, read_wav
from runner.deploy.exported import find_model
from runner.deploy.predictor import Predictor
from tests.data.inputs.sounds import sound_file, tone
from tests.runner.deploy.sound_runs import CLIPS, LABELS, write_clips, write_sound_run


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    write_sound_run(folder, "5555")
    write_clips(folder / "clips")
    return folder


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32"])
def test_wav_files_are_read_with_the_standard_library(subtype: str) -> None:
    content = sound_file(np.stack([tone(440.0), tone(880.0)], axis=1), subtype=subtype)
    wanted = open_sound(content, rate=16000)
    if subtype != "PCM_24":  # which soundfile writes in an extended form that Python 3.11 refuses
        samples, rate = read_wav(content, "", 16000, None)
        assert rate == 16000 and samples.shape == (16000, 2)
    np.testing.assert_allclose(read_sound(content, 16000), wanted.samples, atol=1e-6)
    assert len(read_sound(content, 16000, 100)) == 100


@pytest.mark.parametrize("kind", ["FLAC", "OGG"])
def test_other_formats_and_rates_need_packages(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content, slow = sound_file(tone(440.0), kind=kind), sound_file(tone(440.0, rate=8000), 8000)
    np.testing.assert_allclose(read_sound(content, 16000), open_sound(content, rate=16000).samples, atol=1e-6)
    np.testing.assert_allclose(read_sound(slow, 16000), open_sound(slow, rate=16000).samples, atol=1e-5)

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ValueError, match=r"the sound: is not a WAV file of whole numbers\. Try: pip install soundfile"):
        read_sound(content, 16000)
    with pytest.raises(ValueError, match=r"has 8,000 Hz, but this model reads 16,000\. Try: pip install scipy"):
        read_sound(slow, 16000)


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("this is a text, not a sound, and long enough to look like a file")
    (tmp_path / "empty.wav").write_bytes(sound_file(np.zeros(0)))
    whole = sound_file(tone(440.0))
    (tmp_path / "half.wav").write_bytes(whole[:9000])
    piped = whole[:4] + b"\xff" * 4 + whole[8:40] + b"\xff" * 4 + whole[44:]
    assert len(read_sound(piped, 16000)) == 16000, "a file from a pipe does not know its length"
    for name, reason in (
        ("half.wav", "is truncated"),
        ("text.wav", r"cannot be read as a sound .Format not recognised."),
        ("empty.wav", "has no samples"),
        ("bark.wav", "no such file"),
        (".", "is a folder"),
    ):
        with pytest.raises(ValueError, match=reason):
            read_sound(tmp_path / name, 16000)


def test_what_training_refuses_has_no_answer_either() -> None:
    own, theirs = ((of.RATES, of.LOUDEST, of.SLACK) for of in (reader, training))
    assert own == theirs
    noise = 0.1 * np.random.default_rng(0).normal(size=32000)  # an Ogg file of it has several pages
    ogg, mp3 = sound_file(noise, kind="OGG"), sound_file(noise, kind="MP3")
    floats = sound_file(noise, subtype="FLOAT")
    whole = sound_file(noise, subtype="PCM_16")
    loud, slow = sound_file(3e4 * noise, subtype="FLOAT"), sound_file(noise, 3000)
    for content, reason in (
        (ogg[:-100], "is truncated"),
        (mp3[: len(mp3) // 4], "is truncated"),
        (floats[: len(floats) // 2], "is truncated"),
        (whole[: len(whole) // 2], "is truncated"),  # although the half that is read is there
        (loud, "has samples up to .*; -1 to 1 is expected"),
        (slow, "has a sampling rate of 3,000 Hz; 4,000 to 384,000 can be read"),
    ):
        with pytest.raises(SoundError, match=reason):
            open_sound(content, rate=16000, most=8000)
        with pytest.raises(ValueError, match=f"the sound: {reason}"):
            read_sound(content, 16000, 8000)
    for content in (ogg, mp3, floats, whole):
        wanted = open_sound(content, rate=16000, most=8000).samples
        np.testing.assert_allclose(read_sound(content, 16000, 8000), wanted, atol=1e-6)


def test_a_model_answers_paths_and_contents_as_the_network_does(output: Path) -> None:
    model = Model(output / "5555" / "model")
    names = [str(path) for path in sorted((output / "clips").iterdir())]
    theirs = Predictor(find_model("5555", output, "torch"))(names)
    for mine, other in zip(model(names), theirs, strict=True):
        assert mine["prediction"] == other["prediction"] and list(mine["probabilities"]) == LABELS
        assert mine["probabilities"] == pytest.approx(other["probabilities"], abs=1e-4)
    assert model(CLIPS["a"]) == model(names[0]) == model(Path(names[0]))
    assert model.lengths([CLIPS["a"], sound_file(tone(300.0, 2.0))]).tolist() == [9, 16]
    with pytest.raises(TypeError, match="expected a list of texts"):
        model.scores(names[0])  # type: ignore[arg-type]


def test_no_package_but_numpy_is_needed_for_wav_files(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = builtins.__import__, set[str]()

    def watched(name: str, *rest: Any, **more: Any) -> Any:
        asked.add(name.partition(".")[0])
        return real(name, *rest, **more)

    model = Model(output / "5555" / "model")
    monkeypatch.setattr(builtins, "__import__", watched)
    model(CLIPS["b"])
    assert not asked & {"soundfile", "scipy", "torch"}
