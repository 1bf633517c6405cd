"""A packed model answers as the network does, and torch is not needed for it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runner.deploy.exported import find_model
from runner.deploy.packed_predictor import PackedPredictor
from runner.deploy.predictor import Predictor
from runner.errors import ConfigError
from tests.conftest import REPO
from tests.runner.deploy.runs import write_run

TEXTS = ["the film was lovely", "", "Das ist kein Ünglück, it is " + "so very " * 200 + "dull!", "no film"]
FORBIDDEN = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "transformers", "tokenizers", "pandas", "pyarrow", "sklearn", "scipy"}:
            raise AssertionError(f"imports {name}")

sys.meta_path.insert(0, Refuse())
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output folder with bags of words in a model.bin: of texts (dddd) and of pairs (eeee)."""
    folder = tmp_path_factory.mktemp("outputs")
    bag = {"family": "dsn", "readout": {"name": "mean"}, "positions": 512}
    write_run(folder, "dddd", is_packed=True, **bag)
    write_run(folder, "eeee", data="demo-pairs", is_packed=True, **bag)
    return folder


@pytest.mark.parametrize("identity", ["dddd", "eeee"])
def test_the_answers_are_those_of_the_network(packed: Path, identity: str) -> None:
    mine, theirs = (
        PackedPredictor(find_model(identity, packed, "auto")),
        Predictor(find_model(identity, packed, "torch")),
    )
    columns = [TEXTS] if identity == "dddd" else [TEXTS, TEXTS[::-1]]
    for one, other in zip(mine(*columns), theirs(*columns), strict=True):
        assert one.keys() == other.keys() == {field.name for field in mine.answer_fields}
        assert one["prediction"] == other["prediction"]
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-6)
    asked, wanted = mine.ask(*columns), theirs.ask(*columns)
    assert np.array_equal(asked.lengths, wanted.lengths) and np.array_equal(asked.is_cut, wanted.is_cut)
    assert asked.is_cut.any() and mine.answers(asked, 32) == mine(*columns)
    assert (mine.request_fields, mine.answer_fields) == (theirs.request_fields, theirs.answer_fields)


def test_a_packed_model_is_found_unless_torch_is_asked_for(packed: Path, output: Path) -> None:
    engines = {engine: find_model("dddd", packed, engine).engine for engine in ("auto", "numpy", "torch")}
    assert engines == {"auto": "numpy", "numpy": "numpy", "torch": "torch"}
    assert find_model("aaaa", output, "auto").engine == "torch"
    with pytest.raises(ConfigError, match=r"run aaaa has no model\.bin.*Try: engine=torch"):
        find_model("aaaa", output, "numpy")


def test_a_damaged_file_or_one_of_another_run_is_one_line(packed: Path, tmp_path: Path) -> None:
    found = find_model("dddd", packed, "auto")
    with pytest.raises(ConfigError, match=r"do not match: 2 labels, 1 texts in model\.bin, 2 labels, 2 texts"):
        PackedPredictor(replace(found, columns=("a", "b")))
    (tmp_path / "model.bin").write_bytes(found.weights.read_bytes()[:-1])
    with pytest.raises(ConfigError, match=r"bytes, its header says .* engine=torch"):
        PackedPredictor(replace(found, folder=tmp_path))


def test_run_predict_and_run_serve_import_no_torch_for_it(packed: Path) -> None:
    code = FORBIDDEN + (
        "from runner.commands.predict import main\n"
        f"main(['dddd', 'a lovely film', 'paths.output={packed}'])\n"
        "from runner.deploy.exported import find_model\n"
        "from runner.deploy.service import load_app\n"
        "from pathlib import Path\n"
        f"load_app(find_model('dddd', Path({str(packed)!r}), 'auto'), 1, batch_size=1, hosts=['*'])\n"
        "print('served')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPO, check=False)
    assert done.returncode == 0, done.stderr
    shares = PackedPredictor(find_model("dddd", packed, "auto"))(["a lovely film"])[0]["probabilities"]
    assert done.stdout.splitlines()[1] == f"  {max(shares.values()):.4f}  {max(shares, key=shares.get)}"
    assert done.stdout.endswith("served\n")
