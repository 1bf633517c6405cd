"""Runs keep their names: the identities of commands of every kind, as the first release gave them."""

from __future__ import annotations

import pytest

from runner.compose import compose, resolve
from runner.identity import identify

# Made with the settings of the first release; a change here renames every finished run of that kind.
GOLDEN = {
    "model=dsn data=demo": "0c9ebf32d4",
    "model=bert-tiny data=imdb seed=3": "24af29fb88",
    "model=bermo data=sst2 model/backbone=bert-mini": "1b2c25fba8",
    "model=bertvision data=mrpc model.readout.name=adapter": "613bb4abd2",
    "model=eelbert data=rte": "d248831e0c",
    "model=dsn-bigram data=imdb compression=[bf16]": "188e6919d9",
    "model=auto model.pretrained=sentence-transformers/all-MiniLM-L6-v2 data=stsb train.epochs=1": "9794d0adba",
    "task=mlm model=bert-tiny data=imdb data.split=unsupervised train.steps=10000": "61eafedb28",
    "model=bert-tiny data=sst2 compression=[distil,movement,int8] compression.distil.teacher=0123456789": "21750425a3",
    "model=dsn data=imdb compression=[dendrites] compression.dendrites.mode=cascor": "e04979ebe9",
    "model=bert-tiny data=snli compression=[ziplm_gradual] optimizer=sgd": "dd40a80c9c",
    "data=files data.path=reviews.csv data.text=review data.label=stars model=bert-tiny seed=1": "70ade196ca",
}


@pytest.mark.parametrize("command", GOLDEN)
def test_a_finished_run_keeps_its_name(command: str) -> None:
    settings = resolve(compose(command.split()))
    assert identify(settings, "data", "tokenizer", "weights") == GOLDEN[command]
