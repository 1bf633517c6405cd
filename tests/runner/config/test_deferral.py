"""Values of an option that a sweep chooses again in every job: they wait for that choice."""

from __future__ import annotations

from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser

from runner.config.deferral import defer_values, typed_override
from runner.sweep.launcher import Grid
from tests.conftest import run_cli
from tests.records import records


def test_what_belongs_to_a_swept_option_waits_and_nothing_else_does() -> None:
    words = ["-m", "model=dsn,bert-tiny", "model.positions=64", "data=demo", "seed=0", "paths.output=/somewhere/else"]
    assert defer_values(words) == [*words[:2], "model.positions=64,64", *words[3:]]
    assert defer_values(["-m", "model=bert-tiny", "model.positions=64", "seed=0,1"])[2] == "model.positions=64"
    words = ["-m", "model=bermo", "model/readout=mean,scalar_mix", "model.readout.lr=0.1", "model.dropout=0"]
    assert defer_values(words) == [*words[:3], "model.readout.lr=0.1,0.1", words[4]]


def test_a_sweep_with_a_name_brings_its_options_too() -> None:
    words = ["-m", "+sweep=dendrites_imdb", "model.pretrained=null", "compression.dendrites.mode=base,gd"]
    assert defer_values(words) == [*words[:2], "model.pretrained=null,null", words[3]]


def test_the_jobs_are_the_same() -> None:
    for value in ("null", "0.5", "a/folder-of.mine", "'model=bert-mini train.epochs=3'", "[a,b]", "{a: 1}", "true"):
        words = ["model=dsn,bert-tiny", f"model.pretrained={value}"]
        waiting = defer_values(words)
        assert waiting != words and len(OverridesParser.create().parse_overrides(waiting)) == 2
        assert [typed_override(word) for word in waiting[1:]] == words[1:]
        assert Grid.expand(waiting) == Grid.expand(words), value


def test_a_model_that_the_default_is_not_takes_its_own_keys_in_a_sweep(tmp_path: Path) -> None:
    words = ["model=bert-tiny,bermo", "model/backbone=bert-tiny", "model.pretrained=null", "model.tokenizer=train"]
    rest = ["data=demo", "data.demo_rows=60", "train.steps=2", "measure=off", "tracker=none"]
    planned = run_cli("plan", *words, *rest, cwd=tmp_path)
    assert planned.returncode == 0 and "2 new" in planned.stdout, planned.stdout + planned.stderr
    done = run_cli("-m", *words, *rest, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {found["config"]["model"]["name"] for found in records(tmp_path / "outputs")} == {"bert-tiny", "bermo"}
