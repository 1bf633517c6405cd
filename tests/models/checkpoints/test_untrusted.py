"""Model folders from elsewhere: no code of theirs runs, no pickle is opened, nothing they say fills the memory."""

from __future__ import annotations

import json
import pickle
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from models.build import build
from models.checkpoints.open import load_model
from models.checkpoints.read import read_state
from models.checkpoints.untrusted import check_config
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from tests.models.checkpoints.test_save import write
from tests.models.helpers import small


class Bomb:
    """A pickle that leaves a file behind when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def edited(folder: Path, **changes: Any) -> Path:
    """A saved model with changes in its config.json; None takes a key out."""
    write(small(), folder)
    config = json.loads((folder / "config.json").read_text())
    kept = {key: value for key, value in (config | changes).items() if value is not None}
    (folder / "config.json").write_text(json.dumps(kept))
    return folder


CONFIGS: dict[str, tuple[dict[str, Any], str]] = {
    "its own code": (
        {"model_type": "theirs", "auto_map": {"AutoModel": "evil--modeling.Model"}},
        "its own code (auto_map)",
    ),
    "its own code, inside": ({"backbone": {"model_type": "bert", "auto_map": {}}}, "its own code (auto_map)"),
    "a kernel of the hub": ({"_attn_implementation": "evil/kernel"}, "its own code (_attn_implementation)"),
    "another module": ({"model_type": "bertier", "readout": "cls", "compressed": [{"method": "..save"}]}, "known"),
    "a readout outside": ({"model_type": "bertier", "readout": "..save"}, "no such model/readout"),
    "no width": ({"hidden_size": None}, "do not describe a valid model"),
    "a width that is text": ({"hidden_size": "32"}, "do not describe a valid model"),
    "a width beyond all": ({"hidden_size": 10**30}, "which no model has"),
    "a width beyond its weights": ({"hidden_size": 9_000_000}, "parameters, the weights hold"),
    "no heads": ({"num_attention_heads": 0}, "is not divisible by model.heads=0"),
    "fewer heads than none": ({"num_attention_heads": -1}, "is not divisible by model.heads=-1"),
    "many layers": ({"num_hidden_layers": 100_000}, "more than 512"),
    "an eps that is text": ({"layer_norm_eps": "small"}, "expected 0 to 1"),
    "an eps that is a list": ({"layer_norm_eps": [0.5, 0.5]}, "expected 0 to 1"),
    "padding beyond the words": ({"pad_token_id": 10**6}, "pad_token_id=1000000, but its table has vocab_size=90 rows"),
    "a type that is a list": ({"model_type": ["bert"]}, "names no model_type"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_config_is_refused_at_once_for(case: str, tmp_path: Path) -> None:
    changes, expected = CONFIGS[case]
    folder, begun = edited(tmp_path / "m", **changes), time.process_time()
    with pytest.raises(ModelError) as raised:
        load_model(folder)
    assert expected in str(raised.value) and time.process_time() - begun < 5
    if not {"readout", "pad_token_id"} & changes.keys():  # who goes on from its weights has these from elsewhere
        with pytest.raises(ModelError):
            build(ModelSettings(family="auto", pretrained=str(folder)), head=HeadSpec(outputs=2), vocab_size=40)


def test_a_share_may_be_unset_and_an_eps_may_not() -> None:
    check_config({"classifier_prob": None}, "here")
    with pytest.raises(ModelError, match="layer_norm_eps=None"):
        check_config({"layer_norm_eps": None}, "here")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pkl", "model.zip", "model.tar", "model.ckpt"])
def test_no_pickle_and_no_archive_is_opened(name: str, tmp_path: Path) -> None:
    folder, trace = write(small(), tmp_path / "m"), tmp_path / "opened"
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(ModelError, match="pickles are never read"):
        load_model(folder)
    (folder / "model.safetensors").write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(ModelError, match="is damaged"):
        load_model(folder)
    assert not trace.exists()


@pytest.mark.parametrize("name", ["../other.safetensors", "/etc/x.safetensors", "weights.bin", "..", 3])
def test_the_parts_of_a_model_lie_beside_its_index(name: Any, tmp_path: Path) -> None:
    folder = write(small(), tmp_path / "m")
    save_file({}, tmp_path / "other.safetensors")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"weight": name}}))
    with pytest.raises(ModelError, match=r"which is not a file in its folder|do not describe a valid model"):
        read_state(str(folder), "")
