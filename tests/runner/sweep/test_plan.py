"""Facts about a sweep before it runs: its jobs, its shipped files, its estimates, its limits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from runner.commands.plan import examine_sweep
from runner.compare.claims import judge_claims
from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.composer import Composer
from runner.config.plugins import named_sweeps, register_plugins
from runner.config.resolve import resolve
from runner.machine.facts import usable_cores
from runner.machine.threads import choose_threads
from runner.record.identity import flatten
from runner.record.identity_index import key
from runner.record.metrics import check as check_metric
from runner.record.table import show_comparison
from runner.sweep.ledger import sweep_identity
from runner.sweep.plan import Job, expected, remaining, side_by_side
from runner.sweep.pool import why
from runner.sweep.settings import SweepSettings
from runner.sweep.table import Table
from tests.conftest import REPO
from tests.records import a_record


@cache
def examined(name: str) -> tuple[list[Job], SweepSettings]:
    """The jobs of a shipped sweep with its first seed only, and its node."""
    jobs, sweep, _ = examine_sweep([f"+sweep={name}", "seed=0"])
    return jobs, sweep


def seeds(name: str) -> int:
    """How many it has."""
    params = yaml.safe_load(named_sweeps()[name].read_text(encoding="utf-8"))["hydra"]["sweeper"]["params"]
    return len(str(params.get("seed", 0)).split(","))


@pytest.mark.parametrize("name", named_sweeps())
def test_a_shipped_sweep_composes_as_many_runs_as_it_says_and_its_claims_can_be_looked_up(name: str) -> None:
    assert named_sweeps()[name].read_text(encoding="utf-8").startswith(f"# run -m +sweep={name}\n")
    assert check_overrides([f"+sweep={name}"], multirun=True) == []
    jobs, sweep = examined(name)
    assert [job.problem for job in jobs if job.problem] == []
    assert len(jobs) * seeds(name) == sweep.size and sweep.name == name and sweep.question and sweep.price
    configs = [
        flatten(OmegaConf.to_container(OmegaConf.structured(job.settings)))  # type: ignore[arg-type]
        | {"compression": list(job.settings.compression)}  # type: ignore[union-attr]
        for job in jobs
    ]

    def is_there(where: dict[str, Any]) -> bool:
        return any(all(config.get(field, "?") == value for field, value in where.items()) for config in configs)

    assert is_there(sweep.baseline)
    for claim in sweep.claims:
        own = {field: claim[field] for field in ("claim", "source", "why")}
        for condition in claim.get("all") or [{field: claim[field] for field in claim if field not in own}]:
            fields = {"metric", "kind", "where", "versus", "value", "tolerance"}
            assert set(condition) - {"direction"} == fields
            assert judge_claims([own | condition], [])[0].verdict == "not testable here", "it can be read"
            check_metric(condition["metric"])
            assert condition["kind"] == "equal" or (condition["versus"] is None) == (condition["kind"] == "value")
            groups = [condition["where"], *([condition["versus"]] if condition["versus"] else [])]
            assert claim["why"] or all(map(is_there, groups)), groups  # what is not tested here may need other runs


def test_the_claims_of_the_dsn_are_the_published_numbers() -> None:
    _, sweep = examined("dsn_vs_bert_tiny")
    assert [claim["value"] for claim in sweep.claims] == [0.865, 0.863, 0.002, 0.113, 15.0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["+sweep=sedes"], "did you mean seeds"),
        (["+sweep=nothing_like_it"], "bermo_vs_bert, bertvision_heads"),
        (["sweep=seeds"], "run -m +sweep=seeds"),
        (["sweep.on_failure=halt"], "continue, stop"),
        (["sweep.jobs=0"], "at least 1"),
        (["+sweep=seeds", "seedd=1"], "did you mean seed?"),
    ],
)
def test_a_mistake_in_a_sweep_is_told_with_the_cure(words: list[str], said: str) -> None:
    (problem,) = check_overrides(words, multirun=True)
    assert said in problem


def test_a_named_sweep_needs_m() -> None:
    (problem,) = check_overrides(["+sweep=seeds"])
    assert "run -m +sweep=seeds" in problem


def test_composing_by_shape_gives_what_hydra_gives() -> None:
    from hydra import initialize_config_module
    from hydra.core.global_hydra import GlobalHydra
    from hydra.types import RunMode

    register_plugins()
    GlobalHydra.instance().clear()
    with initialize_config_module("conf", version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        master = loader.load_configuration("config", ["model=dsn"], run_mode=RunMode.MULTIRUN)
        composer = Composer(lambda words: loader.load_sweep_config(master, words))
        for words in (
            ["model=dsn", "seed=1", "optimizer.lr=1"],
            ["model=dsn", "seed=2", "optimizer.lr=1e-3"],
            ["model=dsn", "seed=3", "optimizer.lr=null"],
            ["model=dsn", "seed=3", "optimizer.betas=[0.8,0.9]"],
            ["model=dsn", "seed=3", "optimizer.betas=[0.8,0.99]"],
            ["model=bert-tiny", "force=true", "model.tokenizer=train"],
            ["model=bert-tiny", "force=false", "model.tokenizer=auto"],
        ):
            mine, hydras = composer(words), loader.load_sweep_config(master, words)
            assert OmegaConf.to_container(mine) == OmegaConf.to_container(hydras)


def test_a_sweep_is_named_by_the_set_of_what_it_computes() -> None:
    jobs = [["model=dsn", "seed=0"], ["model=dsn", "seed=1"]]
    assert sweep_identity(jobs) == sweep_identity([[*job, "sweep.jobs=2", "tracker=none"] for job in reversed(jobs)])
    assert sweep_identity(jobs) != sweep_identity([*jobs, ["model=dsn", "seed=2"]])


def test_a_changed_file_is_looked_at_anew_and_where_it_runs_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\na,1\n")
    words = ["data=files", f"data.path={path}", "data.text=text", "data.label=label", "model=dsn"]
    before = key(resolve(compose(words)))
    assert before == key(resolve(compose([*words, "train.threads=3", "paths.output=elsewhere"])))
    assert before != key(resolve(compose([*words, "seed=5"])))
    path.write_text("text,label\nab,1\n")
    assert before != key(resolve(compose(words)))


def test_jobs_times_threads_is_never_more_than_the_cores() -> None:
    wide = resolve(compose(["model=bert-base", "data=demo"]))
    for jobs in (1, 2, 3, 4, 8, 100):
        threads = choose_threads(wide.model.family, wide.model.hidden, jobs)
        assert threads >= 1 and (threads == 1 or threads * jobs <= usable_cores())
    assert resolve(compose(["model=bert-base", "data=demo", "train.threads=3"]), jobs=50).train.threads == 3


def test_the_time_left_is_that_of_the_most_alike_finished_runs() -> None:
    def job(*words: str, seconds: float | None = None) -> Job:
        return Job(0, list(words), seconds=seconds, settings=resolve(compose(list(words))))

    finished = [job("model=dsn", "seed=0", seconds=10), job("model=dsn", "seed=1", seconds=20),
                job("model=bert-tiny", "seed=0", seconds=100)]  # fmt: skip
    assert expected(job("model=dsn", "seed=2"), finished) == 15
    assert expected(job("model=dsn", "seed=2", "train.epochs=1"), finished) == 15, "the same model and data"
    assert expected(job("model=bert-mini", "seed=2"), finished) == pytest.approx(130 / 3), "the same data"
    assert expected(job("model=dsn"), []) is None
    waiting = [job("model=dsn", f"seed={seed}") for seed in range(2, 10)]
    assert remaining(waiting, finished, slots=4) == 30
    assert remaining(waiting[:1], finished, slots=4) == 15, "one run takes what it takes"
    assert remaining([], finished, slots=4) == 0 and remaining(waiting, [], slots=4) is None


def test_work_on_forked_copies_comes_back_in_order() -> None:
    assert side_by_side(lambda number: number * number, list(range(11)), 4) == [n * n for n in range(11)]


def test_a_dead_process_is_told_in_words() -> None:
    assert "segmentation fault" in why(-11) and "SIGKILL" in why(-9) and "exit code 3" in why(3)
    assert why(-1) == "killed by SIGHUP"


VISIBLE = """
import json, os, time
import runner.cli
from runner.commands.experiment import ExperimentFunction
from runner.experiment.outcome import Outcome
def job(self, config, context=None):
    time.sleep(0.4)
    return Outcome(0, reason=os.environ.get("CUDA_VISIBLE_DEVICES"))
def collect(self, outcomes):
    print("RETURNED", json.dumps([outcome.reason for outcome in outcomes]))
ExperimentFunction.__call__, ExperimentFunction.collect = job, collect
runner.cli.main()
"""


def test_each_job_has_a_gpu_of_its_own_and_one_that_wants_none_has_none(tmp_path: Path) -> None:
    words = ["-m", "model=dsn", "data=demo", "tracker=none", "device=auto,cpu", "seed=0,1", "sweep.jobs=2"]
    done = subprocess.run(
        [sys.executable, "-c", VISIBLE, *words], cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(REPO), "CUDA_VISIBLE_DEVICES": "5,7"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("RETURNED"))
    devices = json.loads(line.removeprefix("RETURNED"))
    assert set(devices[:2]) == {"5", "7"}
    assert set(devices[2:]) == {"5,7"}, "untouched: they use none"


def test_runs_of_a_sweep_over_files_are_told_apart_by_them(capsys: pytest.CaptureFixture[str]) -> None:
    files = ["a.csv", "b.csv", "c d.csv"]
    words = [["model=dsn", "data=files", f"data.path='{file}'", "paths.output=o"] for file in files]
    show_comparison([a_record(name="dsn files seed=0", overrides=own) for own in words])
    said = capsys.readouterr().out
    assert "dsn files" not in said and "model=dsn" not in said
    assert all(file in said for file in files)
    table = Table([Job(number, own) for number, own in enumerate(words)], slots=1)
    assert [table._name(job) for job in table.jobs] == [own[2] for own in words]
    assert sweep_identity(words[:2]) != sweep_identity(words[1:]), "sweeps over other files are other sweeps"
