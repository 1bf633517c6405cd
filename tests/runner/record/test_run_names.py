"""Names of runs: what tells them apart, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from runner.record.record import RunRecord
from runner.record.run_names import (
    distinguish,
    name_of,
    names_of,
    names_of_commands,
    naming_keys,
    ranked_keys,
    settings_of,
    shown_setting,
    varying,
)
from tests.records import a_record

DATA = {"name": "demo", "text": "text", "text_pair": None, "max_length": 32, "metrics": ["accuracy"]}


def run(model: str, seed: int = 0, *, rate: float = 0.01, stages: dict[str, Any] | None = None) -> RunRecord:
    """A run of a model with that seed, learning rate and compression, and the words that make it."""
    config = {
        "seed": seed, "model": {"name": model, "width": len(model)}, "data": DATA, "optimizer": {"lr": rate},
        "compression": stages or {},
    }  # fmt: skip
    words = [f"model={model}", "data=demo", f"seed={seed}", f"optimizer.lr={rate}", "paths.output=o"]
    return a_record(config=config, overrides=words)


def test_runs_are_named_by_the_choice_that_varies_not_by_what_is_behind_it() -> None:
    assert names_of([run("dsn"), run("bert-tiny")]) == ["model=dsn", "model=bert-tiny"]


def test_the_model_leads_and_a_setting_follows_only_where_it_is_needed() -> None:
    found = names_of([run("dsn"), run("bert-tiny"), run("dsn", rate=0.1)])
    assert found == [
        "model=dsn optimizer.lr=0.01",
        "model=bert-tiny optimizer.lr=0.01",
        "model=dsn optimizer.lr=0.1",
    ]


def test_a_seed_is_named_where_its_group_has_several() -> None:
    assert names_of([run("dsn", 0), run("dsn", 1), run("bert-tiny")]) == [
        "model=dsn seed=0",
        "model=dsn seed=1",
        "model=bert-tiny",
    ]
    assert names_of([run("dsn")]) == ["model=dsn data=demo"]


def test_the_choice_leads_what_was_typed_alike_for_all_runs_but_counts_for_one() -> None:
    settings: list[Any] = [{"view.name": "codes", "view.epochs": 20}, {"view.name": "none", "view.epochs": 40}]
    commands = [[f"view={one['view.name']}", "view.epochs=20"] for one in settings]
    assert distinguish(settings, commands) == ["view=codes", "view=none"]


def test_equal_settings_have_equal_names_and_none_varies() -> None:
    settings = [settings_of(run("dsn", seed)) for seed in (0, 1)]
    assert varying(settings) == [] and len(set(distinguish(settings, [[], []]))) == 1


def test_a_run_alone_is_named_by_model_data_and_what_was_typed() -> None:
    assert name_of(run("dsn", 3)) == "dsn demo optimizer.lr=0.01 seed=3"
    assert name_of(run("dsn", stages={"int8": {"bits": 8}})) == "dsn demo [int8] optimizer.lr=0.01 seed=0"


@pytest.mark.parametrize(("name", "told"), [("files", "tickets.csv"), ("support", "support")])
def test_a_run_on_a_file_is_named_by_the_file_and_not_by_how_it_is_read(name: str, told: str) -> None:
    config = run("dsn").config | {"data": DATA | {"name": name, "path": "/home/ada/tickets.csv"}}
    words = ["model=dsn", "data=files", "data.path=/home/ada/tickets.csv", "data.text=message", "data.label=topic",
             "measure=off", "train.epochs=3"]  # fmt: skip
    assert name_of(a_record(config=config, overrides=words)) == f"dsn {told} train.epochs=3 seed=0"


def test_commands_are_named_by_the_words_that_the_others_do_not_have() -> None:
    words = [["model=dsn", "+experiment=a", "seed=0"], ["model=dsn", "+experiment=a", "seed=1"]]
    assert names_of_commands(words) == ["seed=0", "seed=1"]
    assert names_of_commands([["model=dsn", "+seed=0"]], fixed=["model=dsn"]) == ["seed=0"]
    assert names_of_commands([["model=dsn"]]) == ["model=dsn"], "no name is empty"


def test_names_take_as_few_of_the_ranked_settings_as_tell_runs_apart() -> None:
    settings = [{"model.name": "dsn", "optimizer.lr": rate, "train.epochs": rate} for rate in (0.1, 0.2)]
    commands = [["train.epochs=0.1"], ["train.epochs=0.2"]]
    assert ranked_keys(settings, commands) == ["train.epochs", "optimizer.lr"], "typed first"
    assert naming_keys(settings, commands) == ["train.epochs"]


def test_a_model_that_another_run_made_is_named_by_the_id_of_that_run() -> None:
    setting = "model.pretrained"
    assert shown_setting(setting, {setting: "/home/me/outputs/0123456789/model"}) == "0123456789"
    for name in ("google/bert_uncased_L-2_H-128_A-2", "/home/me/encoders/model", None):
        assert shown_setting(setting, {setting: name}) == (name or "null")
