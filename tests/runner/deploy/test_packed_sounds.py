"""A packed model of sounds answers as the network does, on files of any kind, and torch is not needed for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from runner.deploy.exported import find_model
from runner.deploy.packed_sounds import PackedSounds
from runner.deploy.predictor import Predictor
from runner.deploy.predictors import open_predictor
from tests.conftest import REPO
from tests.data.inputs.sounds import sound_file, tone
from tests.runner.deploy.sound_runs import write_clips, write_sound_run
from tests.runner.deploy.test_packed_predictor import FORBIDDEN


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a transformer over frames (5555), and clips."""
    folder = tmp_path_factory.mktemp("outputs")
    write_sound_run(folder, "5555")
    write_clips(folder / "clips")
    return folder


def test_the_answers_are_those_of_the_network(output: Path) -> None:
    mine, theirs = open_predictor(find_model("5555", output, "auto")), Predictor(find_model("5555", output, "torch"))
    assert isinstance(mine, PackedSounds) and (mine.request_fields, mine.answer_fields) == (
        theirs.request_fields, theirs.answer_fields,
    )  # fmt: skip
    sounds = [*sorted((output / "clips").iterdir()), sound_file(tone(400.0, 1.7))]
    for one, other in zip(mine(sounds), theirs(sounds), strict=True):
        assert one["prediction"] == other["prediction"]
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)
    assert len({answer["prediction"] for answer in mine(sounds)}) > 1, "else it would prove little"
    asked, wanted = mine.ask(sounds), theirs.ask(sounds)
    assert np.array_equal(asked.lengths, wanted.lengths) and asked.is_cut.tolist() == [False] * 6 + [True]
    assert asked.lengths[-1] > 9 and mine([]) == []


def test_stacked_frames_behind_a_convolution_are_answered_alike(output: Path) -> None:
    words = ("model=conv-sound", "model.special_tokens=false", "data.average_frames=1", "data.stack_frames=4")
    write_sound_run(output, "7777", *words)
    mine, theirs = open_predictor(find_model("7777", output, "auto")), Predictor(find_model("7777", output, "torch"))
    sounds = [*sorted((output / "clips").iterdir()), sound_file(tone(400.0, 1.7)), sound_file(tone(400.0, 0.01))]
    assert isinstance(mine, PackedSounds)
    assert np.array_equal(mine.ask(sounds).lengths, theirs.ask(sounds).lengths)
    for one, other in zip(mine(sounds), theirs(sounds), strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_run_predict_imports_no_torch_for_it(output: Path) -> None:
    code = FORBIDDEN + (
        "from runner.commands.predict import main\n"
        f"main(['5555', {str(output / 'clips' / 'b.wav')!r}, 'paths.output={output}'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPO, check=False)
    assert done.returncode == 0, done.stderr
    (answer,) = Predictor(find_model("5555", output, "torch"))([output / "clips" / "b.wav"])
    assert done.stdout.splitlines()[0] == answer["prediction"]
