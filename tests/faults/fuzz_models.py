"""Saved models and checkpoints that were cut off, mixed up or made to harm: 1,000 at full size."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.build import build
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.training.checkpoint import Checkpoints
from tests.faults.fuzz_records import NASTY, changed, places
from tests.faults.fuzzing import check_manners, command, damaged, files_in, has_cure, many, patience
from tests.runner.deploy.runs import SMALL, write_run

SIZES: list[Any] = [-1, 0, 1, 3, 10**9, 10**30, 2.5, "2", None, [2], 127]
CODE = [
    ("auto_map", {"AutoModel": "evil--modeling.Model"}), ("_attn_implementation", "evil/kernel"),
    ("model_type", "distilbert"), ("model_type", "gpt2"), ("backbone", {"model_type": "bert", "auto_map": {}}),
    ("compressed", [{"method": "os"}]), ("compressed", [{"method": "..save"}]), ("readout", {"name": "os"}),
    ("readout", {"name": "scalar_mix", "hidden": -1}), ("embedding", {"name": "hash"}), ("id2label", {"0": "\x1b[2J"}),
]  # fmt: skip
BOOM = pickle.dumps(print)


class Runs:
    """An output folder with two finished runs, put back after each input."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "outputs"
        write_run(self.folder, "aaaa")
        write_run(self.folder, "bbbb", family="dsn", readout={"name": "mean"})
        self.whole = {path: path.read_bytes() for path in files_in(self.folder)}

    def ask(self, run: str) -> None:
        """Predict with a model; then go on from its weights; both answer or refuse."""
        try:
            check_manners(*command("predict", run, "a lovely film", f"paths.output={self.folder}"))
            with patience():
                settings = ModelSettings(**SMALL, family="auto", pretrained=str(self.folder / run / "model"))
                build(settings, head=HeadSpec(outputs=2), vocab_size=300, tokens=lambda: ["a"] * 300)
        except ModelError as error:
            assert has_cure(str(error)), error
        finally:
            for path, content in self.whole.items():
                path.write_bytes(content)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("models"))


@many(500)
@given(st.data(), st.sampled_from(["aaaa", "bbbb"]))
def test_any_value_in_any_place_of_a_config(runs: Runs, data: st.DataObject, run: str) -> None:
    path = runs.folder / run / "model" / "config.json"
    content = json.loads(runs.whole[path])
    if data.draw(st.booleans()):
        name, value = data.draw(st.sampled_from(CODE))
        content[name] = value
    else:
        place = data.draw(st.sampled_from(list(places(content))[1:]))
        content = changed(content, place, data.draw(st.sampled_from([..., *SIZES, *NASTY])))
    path.write_text(json.dumps(content), encoding="utf-8")
    runs.ask(run)


@many(400)
@given(st.data(), st.sampled_from(["aaaa", "bbbb"]))
def test_any_file_of_a_model_damaged(runs: Runs, data: st.DataObject, run: str) -> None:
    path = data.draw(st.sampled_from(sorted(path for path in runs.whole if path.parent.name == "model")))
    if path.parent.parent.name != run:
        path = runs.folder / run / "model" / path.name
    path.write_bytes(data.draw(damaged(runs.whole[path], [BOOM, b"PK\x03\x04", b"\xff" * 8, b"9" * 20, b"null"])))
    runs.ask(run)


@many(100)
@given(st.data(), st.sampled_from([".json", ".safetensors"]))
def test_a_damaged_checkpoint_is_none(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, suffix: str
) -> None:
    folder = tmp_path_factory.mktemp("run")
    kept = Checkpoints(folder, "a run", every_s=0.0)
    kept.save({"weight": torch.arange(4.0)}, {"step": 3})
    path = folder / "checkpoints" / f"step-00000003{suffix}"
    whole = path.read_bytes()
    path.write_bytes(data.draw(damaged(whole)))
    with patience():
        found = kept.newest()
    if path.read_bytes() != whole and suffix == ".safetensors":
        assert found is None
    elif found is not None:
        assert torch.equal(found[0]["weight"], torch.arange(4.0))
