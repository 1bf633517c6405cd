"""Sweeps with a name: ours, and those of the user's own folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands.list import describe
from runner.config.check import check_overrides
from runner.config.folders import take_config_folders
from runner.config.plugins import named_sweeps, read_sweep_file, sweep_overrides
from runner.errors import ConfigError
from tests.conftest import run_cli

SWEEP = """sweep:
  question: Which width?
  claims: [{claim: wider is better, metric: test/accuracy, value: 0.5, where: {model.name: dsn-32}}]
hydra: {sweeper: {params: {model: "dsn,dsn-32", data: demo, data.demo_rows: 300, measure: "off", tracker: none}}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's own with an empty sweeps/."""
    (tmp_path / "own/sweeps").mkdir(parents=True)
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path / "own"))
    return tmp_path / "own"


def test_a_sweep_of_the_users_own_stands_beside_ours(folder: Path) -> None:
    (folder / "sweeps/widths.yaml").write_text(SWEEP, encoding="utf-8")
    assert {"widths", "seeds"} <= named_sweeps().keys() and list(named_sweeps()) == sorted(named_sweeps())
    assert sweep_overrides("widths")[:3] == ["model=dsn,dsn-32", "data=demo", "data.demo_rows=300"]
    assert read_sweep_file("widths").sweep.name == "widths", "so run compare finds it"
    assert describe("sweep", "widths") == "Which width?" and take_config_folders(["--config-dir", str(folder)]) == []


def test_it_runs_and_its_claims_are_judged(folder: Path, tmp_path: Path) -> None:
    (folder / "sweeps/widths.yaml").write_text(SWEEP, encoding="utf-8")
    done = run_cli("-m", "--config-dir", "own", "+sweep=widths", cwd=tmp_path)
    assert done.returncode == 0 and "Which width?" in done.stdout, done.stderr
    claims = run_cli("compare", "widths", "--claims", cwd=tmp_path)
    assert claims.returncode == 0 and "wider is better" in claims.stdout, claims.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"sweep: {name: x", "Fix that YAML"),
        (b"\xf8", "Fix that YAML"),
        (b"- a", "its content is not a mapping"),
        (b"hydra: {sweeper: {params: [a]}}", r"hydra\.sweeper\.params is not a mapping"),
        (b"hydra: {sweeper: {param: {seed: 0}}}", "hydra.sweeper has no `param`; a grid has max_batch_size and params"),
        (b"sweep: {jobz: 2}", "Key 'jobz' not in 'SweepSettings'"),
    ],
)
def test_a_damaged_file_is_named_with_the_cure(content: bytes, message: str, folder: Path) -> None:
    (folder / "sweeps/mine.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=rf"sweeps/mine\.yaml: .*{message}"):
        check_overrides(["+sweep=mine"], multirun=True)
    assert "sweeps/mine.yaml: " in describe("sweep", "mine"), "a list shows the others all the same"


@pytest.mark.parametrize("content", [
    "hydra: {sweeper: {n_trials: 3}}", "defaults: [override /hydra/sweeper: mine]\nhydra: {sweeper: {rounds: 3}}",
])  # fmt: skip
def test_a_file_may_have_the_keys_of_another_sweeper(content: str, folder: Path) -> None:
    (folder / "sweeps/mine.yaml").write_text(content, encoding="utf-8")
    assert 3 in read_sweep_file("mine").hydra.sweeper.values()


@pytest.mark.parametrize("claim", ["{claim: x}", "wider"])
def test_a_claim_that_cannot_be_judged_ends_the_sweep_before_its_runs(claim: str, folder: Path, tmp_path: Path) -> None:
    (folder / "sweeps/mine.yaml").write_text(f"sweep: {{claims: [{claim}]}}\n", encoding="utf-8")
    done = run_cli("-m", "--config-dir", "own", "+sweep=mine", "model=dsn,dsn-32", cwd=tmp_path)
    assert done.returncode == 2 and "Fix the sweep's YAML" in done.stderr and not (tmp_path / "outputs").exists()


def test_a_reference_to_nothing_in_a_sweeps_file_is_the_users_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "mine.yaml").write_text('hydra: {sweeper: {params: {seed: "${nope}"}}}', encoding="utf-8")
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    with pytest.raises(ConfigError, match=r"mine\.yaml: hydra\.sweeper\.params\.seed: Interpolation key 'nope'"):
        sweep_overrides("mine")
