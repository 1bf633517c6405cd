"""`run explain`: where each setting of a recorded run came from, as a real process."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands.explain import main
from runner.errors import ConfigError
from tests.conftest import run_cli
from tests.runner.compare.folders import write_run, write_sweep


def test_explain_names_the_file_the_command_line_and_what_is_derived(tmp_path: Path) -> None:
    words = ("model=dsn", "model/readout=sum", "model.width=0.5", "experiment=demo", "schedule=cosine")
    record = write_run(tmp_path / "outputs", *words)
    done = run_cli("explain", record["identity"], cwd=tmp_path, env={"COLUMNS": "300"})
    assert done.returncode == 0, done.stderr
    sources = {line.split()[0]: line for line in done.stdout.splitlines() if "." in line}
    expected = {
        "model.width": "model.width=0.5 on the command line",
        "model.token_dropout": "conf/model/backbone/none.yaml, by model=dsn",
        "model.readout.name": "conf/model/readout/sum.yaml, by model/readout=sum",
        "model.dropout": "conf/model/_shared.yaml, by model=dsn",
        "model.layer_norm_eps": "default in models/settings.py",
        "model.tokenizer": "derived by runner/config/resolve.py:resolve from auto",
        "train.epochs": "conf/experiment/demo.yaml",
        "schedule.warmup": "conf/schedule/cosine.yaml, by schedule=cosine",
        "optimizer.lr": "conf/optimizer/adamw.yaml as ${model.recipe.lr}: conf/model/backbone/none.yaml",
        "checkpoint.every_s": "conf/config.yaml",
        "data.demo_rows": "conf/data/_shared.yaml, by data=demo",
    }
    assert {key: source for key, source in expected.items() if source not in sources[key]} == {}
    part = run_cli("explain", record["identity"], "lr", cwd=tmp_path)
    assert "optimizer.lr" in part.stdout and "model.width" not in part.stdout
    wrong = run_cli("explain", record["identity"], "optimzer", cwd=tmp_path)
    assert wrong.returncode == 2 and "did you mean optimizer" in wrong.stderr


def test_explain_tells_a_sweeps_choice_from_the_command_line(tmp_path: Path) -> None:
    output = tmp_path / "outputs"
    record = write_run(output, "model=dsn", "model.width=0.5", "train.epochs=2")
    write_sweep(output, [record], overrides=["train.epochs=2,4"])
    text = run_cli("explain", record["identity"], cwd=tmp_path, env={"COLUMNS": "300"}).stdout
    assert "model.width=0.5 of sweeps/a_sweep.yaml" in text and "train.epochs=2,4 on the command line" in text


def test_explain_says_when_today_gives_something_else(tmp_path: Path) -> None:
    record = write_run(tmp_path / "outputs", "model=dsn")
    record["config"]["schedule"]["warmup"] = 0.3
    record["config"]["model"]["gone"] = 1
    write_run(tmp_path / "outputs", "model=dsn", config=record["config"])
    text = run_cli("explain", record["identity"], cwd=tmp_path, env={"COLUMNS": "300"}).stdout
    assert "today it is 0.1, conf/schedule/linear.yaml" in text and "there is no such setting today" in text


def test_a_key_chooses_all_settings_with_it_in_their_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = write_run(tmp_path, "model=dsn")
    assert main([record["identity"], "optimizer", f"paths.output={tmp_path}"]) == 0
    lines = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith(" optimizer")]
    assert "optimizer.lr" in lines and all(name.startswith("optimizer.") for name in lines)


def test_more_than_a_run_and_a_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"one run and one key, not a b c\. Try: run explain a model"):
        main(["a", "b", "c", f"paths.output={tmp_path}"])
