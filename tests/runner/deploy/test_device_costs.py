"""The needs of a small device for an answer: the numbers of a bundle of sounds, and the bundle itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
import torch

from models.checkpoints.open import load_model
from models.compression.structured.layer_widths import restore
from models.network import Network
from models.packed.pack import pack_network
from runner.commands.export import main
from runner.deploy.device_costs import device_costs
from runner.deploy.exported import find_model
from runner.deploy.packed_sounds import PackedSounds
from runner.errors import ConfigError
from runner.measure.macs import count_macs
from tests.models.packed.test_sound import FEATURES, facts, make
from tests.runner.deploy.sound_runs import write_clips, write_sound_run
from tests.runner.deploy.test_bundles import ALONE


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with a packed transformer over frames (5555), its bundle, and a CNN (6666), which has none."""
    folder = tmp_path_factory.mktemp("outputs")
    write_sound_run(folder, "5555")
    write_sound_run(folder, "6666", "model=mfcc-cnn")
    write_clips(folder / "clips")
    assert main(["5555", "format=bundle", f"paths.output={folder}"]) == 0
    return folder


def bundle(output: Path) -> Path:
    return output / "5555" / "export" / "bundle"


def test_multiply_adds_are_those_that_torch_counts(output: Path) -> None:
    costs = device_costs(bundle(output))
    inputs = {"input_ids": torch.zeros(1, costs["frames"], 64)}
    assert costs["frames"] == 9 and costs["multiply_adds_int8"] == 0
    assert costs["multiply_adds"] == count_macs(load_model(output / "5555" / "model"), inputs)
    assert costs["multiply_adds_features"] > costs["multiply_adds"], "of a second: the transforms outweigh the network"


def test_a_convolution_is_counted_at_every_place_of_a_frame(output: Path) -> None:
    words = ("model=conv-sound", "model.special_tokens=false", "data.average_frames=1", "data.stack_frames=4")
    write_sound_run(output, "7777", *words)
    assert main(["7777", "format=bundle", f"paths.output={output}"]) == 0
    costs = device_costs(output / "7777" / "export" / "bundle")
    inputs = {"input_ids": torch.zeros(1, costs["frames"], 4 * 64)}
    assert costs["frames"] == 8
    assert costs["multiply_adds"] == count_macs(load_model(output / "7777" / "model"), inputs)
    assert 4 * (4 * 64 + 8 * 32) < costs["bytes_activations"] < 16_000


def test_layers_with_fewer_heads_need_less(tmp_path: Path) -> None:
    costs = []
    for layers in ([[2, 32], [2, 32]], [[1, 32], [2, 5]], [[1, 32], [1, 32]]):
        network = cast(Network, restore(make(), {"layers": layers}))
        (tmp_path / "model.bin").write_bytes(pack_network(network, facts()))
        costs.append(device_costs(tmp_path))
        inputs = {"input_ids": torch.zeros(1, costs[-1]["frames"], FEATURES)}
        assert costs[-1]["multiply_adds"] == count_macs(network, inputs)
    frames = costs[0]["frames"]
    assert [one["bytes_activations"] for one in costs] == [4 * frames * (5 * 16 + 1)] * 2 + [4 * frames * (3 * 16 + 1)]


def test_bytes_are_those_of_the_files(output: Path) -> None:
    folder, manifest = bundle(output), json.loads((bundle(output) / "manifest.json").read_text())
    costs = manifest["device"]
    assert costs["bytes_model"] == (folder / "model.bin").stat().st_size
    assert costs["bytes_code"] == sum(path.stat().st_size for path in folder.glob("*.py"))
    assert {"sound.py", "frame_network.py", "log_mel.py"} <= manifest["files"].keys()
    assert 4 * 8 * 16 < costs["bytes_activations"] < 16_000


def test_the_bundle_answers_with_numpy_alone(output: Path, tmp_path: Path) -> None:
    names = [str(output / "clips" / name) for name in ("a.wav", "b.wav", "c.wav")]
    own = 'own = {"predict", "calibration", "command", "table", "bag", "dendritic", "wordpiece"}'
    assert own in ALONE
    alone = ALONE.replace(
        own, 'own = {"predict", "calibration", "command", "table", "sound", "frame_network", "log_mel"}'
    )
    words = [sys.executable, "-P", "-c", alone, str(bundle(output)), json.dumps(names)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    mine = PackedSounds(find_model(str(bundle(output)), output, "auto"))(names)
    for one, other in zip(json.loads(done.stdout), mine, strict=True):
        assert one["prediction"] == other["prediction"]
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)


def test_its_command_answers_files_and_tables(output: Path, tmp_path: Path) -> None:
    clips = output / "clips"
    (clips / "clips.csv").write_text("path,n\na.wav,1\nb.wav,2\n")

    def told(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(bundle(output) / "predict.py"), *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    lines = [json.loads(line) for line in told(str(clips / "a.wav"), str(clips / "b.wav")).stdout.splitlines()]
    assert [line["sound"] for line in lines] == [str(clips / "a.wav"), str(clips / "b.wav")]
    table = told(str(clips / "clips.csv"))
    assert [row.split(",")[2] for row in table.stdout.splitlines()[1:]] == [line["prediction"] for line in lines]
    wrong = told("bark.wav")
    assert wrong.returncode == 2 and wrong.stderr == "predict.py: bark.wav: no such file\n"
    page = (bundle(output) / "README.md").read_text()
    assert "python predict.py bark.wav" in page and "Answers sounds with one of 3 labels" in page


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["5555", "format=page"], r"5555 reads sounds, but a page reads texts\. Try: run serve 5555"),
        (["5555", "format=docker"], r"a container reads texts\. Try: format=bundle"),
        (["5555", "format=bundle", "int8=true"], r"already packed\. Try: run 'compression=\[int8\]' from=5555"),
        (["6666", "format=bundle"], r"run 6666 has no model\.bin.*Try: format=onnx"),
        (["5555", "format=model2vec"], r"reads sounds, so it has no word vectors\. Try: format=onnx"),
        (["6666", "format=page"], r"run serve 6666"),
    ],
)
def test_what_does_not_fit_sounds_is_refused(output: Path, words: list[str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        main([*words, f"paths.output={output}"])
