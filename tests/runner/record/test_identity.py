"""Runs keep their names: the identities of commands of every kind, as the first release gave them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from data.splits import DataTask
from models.compression.settings import METHODS
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.experiment.prepare import label_contents
from runner.record.identity import identify, identity_settings, neutral_keys, recorded_settings
from runner.schema import Settings

FIRST_FIELDS = Path(__file__).with_name("first_fields.txt")  # of the first release: they have no neutral value

# Made with the settings of the first release; a change here renames every finished run of that kind.
GOLDEN = {
    "model=dsn data=demo": "0c9ebf32d4",
    "model=bert-tiny data=imdb seed=3": "24af29fb88",
    "model=bermo data=sst2 data.group=null model/backbone=bert-mini": "1b2c25fba8",
    "model=bertvision data=mrpc data.group=null model.readout.name=adapter": "613bb4abd2",
    "model=eelbert data=rte data.group=null": "d248831e0c",
    "model=dsn-bigram data=imdb compression=[bf16]": "188e6919d9",
    "model=auto model.pretrained=sentence-transformers/all-MiniLM-L6-v2 data=stsb data.group=null "
    "train.epochs=1 model/readout=cls": "9794d0adba",
    "task=mlm model=bert-tiny data=imdb data.split=unsupervised train.steps=10000": "61eafedb28",
    "model=bert-tiny data=sst2 data.group=null compression=[distil,movement,int8] "
    "compression.distil.teacher=0123456789": "21750425a3",
    "model=dsn data=imdb compression=[dendrites] compression.dendrites.mode=cascor": "e04979ebe9",
    "model=bert-tiny data=snli compression=[ziplm_gradual] optimizer=sgd": "dd40a80c9c",
    "data=files data.path=reviews.csv data.text=review data.label=stars model=bert-tiny seed=1": "70ade196ca",
    "model=bert-tiny data=demo compression=[tinybert] compression.tinybert.teacher=aaaaaaaaaa": "9f15b538bb",
    "model=bert-tiny data=demo compression=[ernie_tiny] compression.ernie_tiny.teacher=aaaaaaaaaa": "fb9c2684e4",
    "model=static data=demo compression=[text_vectors] compression.text_vectors.teacher=aaaaaaaaaa "
    "compression.text_vectors.tokens=own": "4fc33d7d73",
}


@pytest.mark.parametrize("command", GOLDEN)
def test_a_finished_run_keeps_its_name(command: str) -> None:
    settings = resolve(compose(command.split()))
    assert identify(settings, "data", "tokenizer", "weights") == GOLDEN[command]


def keys_of(node: Any, prefix: str) -> Iterator[tuple[str, bool]]:
    """The dotted key of every field of a settings object, and whether it has a neutral value."""
    for one in fields(node):
        value = getattr(node, one.name)
        if is_dataclass(value):
            yield from keys_of(value, f"{prefix}{one.name}.")
        else:
            yield f"{prefix}{one.name}", "neutral" in one.metadata


def all_keys() -> dict[str, bool]:
    found = dict(keys_of(Settings(), ""))
    for name, method in METHODS.items():
        found |= dict(keys_of(method(), f"compression.{name}."))
    return found


def test_a_setting_that_was_added_later_has_a_neutral_value() -> None:
    first = set(FIRST_FIELDS.read_text(encoding="utf-8").split())
    assert [key for key, has_neutral in all_keys().items() if key not in first and not has_neutral] == []
    assert first <= all_keys().keys(), "a field that is gone renames every run"


def test_the_positive_class_counts_where_it_is_not_class_1_however_it_was_named() -> None:
    settings = resolve(compose(["model=bert-tiny", "data=mrpc"]))
    plain = identify(settings, "data", "tokenizer", "weights")
    settings.data.positive = None
    assert identify(settings, "data", "tokenizer", "weights") == plain
    names = ("fraud", "ok")
    contents = [label_contents(DataTask("class_label", names, False, positive)) for positive in (1, 0)]
    named = [identify(settings, "data", "tokenizer", "weights", found) for found in contents]
    assert named[0] == plain != named[1]
    assert label_contents(DataTask("number", (), False)) == {}


@dataclass
class Inner:
    old: int = 1
    new: int = field(default=5, metadata={"neutral": 5})


@dataclass
class Outer:
    inner: Inner
    stages: dict[str, Inner]


def test_a_neutral_value_is_found_at_any_depth_and_another_value_counts() -> None:
    assert set(neutral_keys(Outer(Inner(), {"a": Inner(), "b": Inner(new=6)}))) == {"inner.new", "stages.a.new"}


def test_an_added_setting_counts_once_it_has_another_value(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = resolve(compose(["model=dsn", "data=demo"]))
    before = identity_settings(settings)
    monkeypatch.setattr("runner.record.identity.neutral_keys", lambda _settings: ["train.epochs"])
    assert before.keys() - identity_settings(settings).keys() == {"train.epochs"}


def test_a_record_from_before_a_setting_was_added_reads_as_one_with_its_neutral_value() -> None:
    config = {"data": {"name": "demo"}, "compression": {"first": {"method": "weight_only", "bits": 4}, "none": None}}
    found = recorded_settings(config)
    neutral = {key for key, has_neutral in dict(keys_of(Settings(), "")).items() if has_neutral}
    assert found.keys() >= neutral and found["compression.first.bits"] == 4 and found["data.name"] == "demo"


def test_the_same_phases_of_a_distillation_in_another_order_are_another_run() -> None:
    words = ["data=demo", "model=bert-tiny", "compression=[tinybert]", "compression.tinybert.teacher=aaaaaaaaaa"]
    first, second = (resolve(compose(words)) for _ in range(2))
    second.compression["tinybert"].phases = dict(reversed(second.compression["tinybert"].phases.items()))
    names = [identify(settings, "data", "tokenizer", "weights") for settings in (first, second)]
    assert names[0] != names[1]
    orders = [recorded_settings(asdict(settings))["compression.tinybert.phases"] for settings in (first, second)]
    assert orders == [["inside", "answers"], ["answers", "inside"]], "else tables pool the two"
