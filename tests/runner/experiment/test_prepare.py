"""A readout that a checkpoint chose is part of the name of a run; losses are checked once the data are read."""

from __future__ import annotations

from pathlib import Path

from runner.experiment.prepare import readout_contents
from runner.record.identity import identify
from runner.schema import Settings
from tests.conftest import run_cli
from tests.models.helpers import small


def test_a_chosen_readout_is_that_of_the_network_in_the_identity() -> None:
    open_, named = Settings(), Settings()
    open_.model.readout, named.model.readout = {"name": "auto"}, {"name": "mean"}
    for readout, is_same in (("mean", True), ("cls", False)):
        model = small(readout={"name": readout})
        names = [identify(one, "d", "t", "w", readout_contents(one, model)) for one in (open_, named)]
        assert (names[0] == names[1]) == is_same


def test_a_batch_is_not_split_for_the_loss_that_the_labels_choose(tmp_path: Path) -> None:
    rows = [f"text {row} one,text {row % 7} two,{row * 3 % 17}.5" for row in range(120)]
    (tmp_path / "pairs.csv").write_text("\n".join(["a,b,score", *rows]), encoding="utf-8")
    words = ("model=bert-tiny", "model.pretrained=null", "model.tokenizer=train", "model/readout=bi_encoder")
    data = ("data=files", "data.path=pairs.csv", "data.text=a", "data.text_pair=b", "data.label=score")
    refused = run_cli(*words, *data, "train.accumulate=2", cwd=tmp_path)
    assert refused.returncode and "train.accumulate=2: train.loss=cosent (auto)" in refused.stderr
    assert not (tmp_path / "outputs").exists()
