"""Length-adaptive encoders on the command line: training, search, quantization, reopening, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.checkpoints.open import load_model
from models.compression.lengths.choice import choices_of
from models.compression.lengths.chosen import lengths_of
from models.compression.quantization.coded import coded_weights
from tests.conftest import run_cli

WORDS = [
    "model=bert-tiny", "model.tokenizer=train", "data=demo", "data.demo_rows=96",
    "train.epochs=1", "measure=off", "tracker=none",
]  # fmt: skip
STAGE = "compression.length"
SHORT = [
    f"{STAGE}.train.epochs=1", f"{STAGE}.search.iterations=1", f"{STAGE}.search.population=3",
    f"{STAGE}.search.rows=32", f"{STAGE}.search.at_most_loss=null", f"{STAGE}.search.budget=0.9",
]  # fmt: skip


def test_a_model_is_trained_for_all_lengths_searched_quantized_and_opened_again(tmp_path: Path) -> None:
    done = run_cli(*WORDS, "compression=[length,int8]", *SHORT, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(path.read_text()) for path in (tmp_path / "outputs").glob("*/record.json")]
    stages = {len(record["stages"]): record for record in records}
    trained, searched, quantized = (entry["metrics"] for entry in stages[3]["stages"])
    assert searched["train/steps"] == 2 * trained["train/steps"] and searched["length/share"] <= 0.9
    model = load_model(tmp_path / "outputs" / stages[3]["identity"] / "model")
    assert len(list(coded_weights(model))) > 0
    lengths, choices = lengths_of(model), choices_of(model.architecture)
    assert lengths is not None and choices[-1].share == 1.0
    assert min(abs(choice.share - searched["length/share"]) for choice in choices) < 1e-9
    assert quantized["val/loss"] == pytest.approx(searched["val/loss"], abs=0.01), "answers have the same lengths"
    again = run_cli(
        f"from={stages[3]['identity']}", "compression=[length]", *SHORT, f"{STAGE}.train.epochs=0", cwd=tmp_path
    )
    assert again.returncode == 0, "a search alone may follow a quantization: " + again.stdout + again.stderr
    finished = stages[2]["identity"]
    for words, told in (
        (
            ["compression=[length]", f"{STAGE}.lengths=[9,12]", f"{STAGE}.mode=absolute"],
            "12 tokens and the layer before",
        ),
        (["compression=[length]", f"{STAGE}.lengths=[1,0.5,0.5]"], "3 values for 2 layers"),
        (["compression=[length]", f"from={stages[3]['identity']}"], "quantized already, so no stage that trains"),
    ):
        refused = run_cli(f"from={finished}", *words, cwd=tmp_path)
        said = " ".join((refused.stdout + refused.stderr).split())
        assert refused.returncode == 2 and told in said and "Traceback (most" not in said, said
    assert len(list((tmp_path / "outputs").glob("*/record.json"))) == 4, "nothing is written"
