"""Our models behind transformers' Auto classes, and what importing us costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from models.checkpoints.open import load_model
from models.compression.exits import attach
from models.compression.quantization.stage import record_method
from models.compression.settings import Exits
from tests.conftest import REPO
from tests.models.checkpoints.test_save import write
from tests.models.compression.test_bf16 import MIX
from tests.models.helpers import batch, small

OPEN = """
import json, sys, torch
inputs = {name: torch.tensor(value) for name, value in json.loads(sys.argv[1]).items()}
for folder in sys.argv[2:]:
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    print(json.dumps([type(model).__name__, model(**inputs).logits.tolist()]))
"""
# A fork for each import order, of a process that has imported neither ours nor transformers but what both import.
FORKS = """
import json, os, sys, accelerate, numpy, huggingface_hub, safetensors.torch, sklearn.metrics, tokenizers
import torch._dynamo, torch.distributed.tensor
assert not {"models", "transformers"} & set(sys.modules)
for code in json.loads(sys.argv.pop(1)):
    sys.stdout.flush()
    if (child := os.fork()) == 0:
        exec(code)
        sys.stdout.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""
ORDERS = {
    "ours first": "import models\nfrom transformers import AutoModelForSequenceClassification",
    "theirs first": "from transformers import AutoModelForSequenceClassification\nimport models",
    "theirs first, not yet used": "import transformers, models\n"
    "AutoModelForSequenceClassification = transformers.AutoModelForSequenceClassification",
}


def python(code: str, *words: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_auto_classes_open_our_folders_in_either_import_order(tmp_path: Path) -> None:
    made, inputs = [small(family="dsn", readout={"name": "sum"}), small(readout={"name": "mean"})], batch()
    folders = [str(write(model, tmp_path / f"m{number}")) for number, model in enumerate(made)]
    plain = {name: tensor.tolist() for name, tensor in inputs.items()}
    codes = [order + OPEN for order in ORDERS.values()]
    lines = python(FORKS, json.dumps(codes), json.dumps(plain), *folders).splitlines()
    for model, line in zip(made * len(ORDERS), lines, strict=True):
        name, logits = json.loads(line)
        assert name == "BertierForSequenceClassification"
        torch.testing.assert_close(torch.tensor(logits), model(**inputs), atol=1e-5, rtol=0)


def test_the_config_opens_without_the_model(tmp_path: Path) -> None:
    config = AutoConfig.from_pretrained(write(small(family="dsn", readout={"name": "sum"}), tmp_path / "m"))
    assert (config.model_type, config.readout, config.num_labels) == ("bertier", "sum", 3)


def test_loss_follows_the_kind_of_task(tmp_path: Path) -> None:
    folder = write(small(family="dsn", readout={"name": "sum"}), tmp_path / "c")
    model, labels = AutoModelForSequenceClassification.from_pretrained(folder), torch.tensor([0, 1, 2, 1, 0])
    out = model(**batch(), labels=labels)
    torch.testing.assert_close(out.loss, torch.nn.functional.cross_entropy(out.logits, labels))
    folder = write(small(family="dsn", readout={"name": "sum"}, num_labels=1), tmp_path / "r", label_names=[])
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    out = model(**batch(), labels=labels)
    torch.testing.assert_close(out.loss, (out.logits[:, 0] - labels).square().mean())


def test_the_loss_of_sets_of_labels_is_that_of_transformers(tmp_path: Path) -> None:
    folder = write(small(family="dsn", readout={"name": "sum"}), tmp_path / "m")
    sets = torch.tensor([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0], [0, 0, 1]])
    config = AutoConfig.from_pretrained(folder, problem_type="multi_label_classification")
    out = AutoModelForSequenceClassification.from_pretrained(folder, config=config)(**batch(), labels=sets)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(out.logits, sets.float())
    torch.testing.assert_close(out.loss, expected)


def with_exits() -> Any:
    """A model of which every text leaves at its exit."""
    model, options = small(layers=3, readout={"name": "mean"}), Exits(after=[1])
    attach(model, vars(options)).thresholds.fill_(0.0)
    record_method(model, options)
    return model


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["bag", "exits", "layers"])
def test_a_model_cast_and_saved_again_by_transformers_still_opens_and_answers(
    name: str, dtype: torch.dtype, tmp_path: Path
) -> None:
    if name == "exits":
        model = with_exits()
    else:
        model = small(**({"family": "dsn", "readout": {"name": "sum"}} if name == "bag" else {"readout": MIX}))
    cast = AutoModelForSequenceClassification.from_pretrained(write(model, tmp_path / "m"), dtype=dtype)
    cast.save_pretrained(tmp_path / "again")
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path / "again")
    assert next(again.parameters()).dtype == dtype
    with torch.no_grad():
        expected = model(**batch())
        for found in (cast(**batch()).logits, again(**batch()).logits, load_model(tmp_path / "again")(**batch())):
            torch.testing.assert_close(found.float(), expected, rtol=0.02, atol=0.02)


def test_what_transformers_saves_again_still_opens_in_ours(tmp_path: Path) -> None:
    model = small(family="dsn", readout={"name": "sum"})
    opened = AutoModelForSequenceClassification.from_pretrained(write(model, tmp_path / "m"))
    opened.save_pretrained(tmp_path / "again")
    assert torch.equal(load_model(tmp_path / "again")(**batch()), model(**batch()))
    assert opened.get_input_embeddings().weight.shape == (90, 32)
