"""Facts about a sweep before it runs: its jobs, its shipped files, its estimates, its limits."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from models.settings import chosen_readout
from runner.commands.plan import examine_sweep
from runner.commands.plan import main as plan
from runner.compare.claims import judge_claims
from runner.config.check import check_overrides
from runner.config.compose import compose, composed_by_hydra
from runner.config.plugins import named_sweeps
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.machine.facts import usable_cores
from runner.machine.threads import choose_threads
from runner.record.identity import flatten
from runner.record.metrics import check as check_metric
from runner.schema import Settings
from runner.sweep.plan import Job, check_starts, examine_job, expected_seconds, remaining_seconds
from runner.sweep.settings import SweepSettings


@cache
def examined(name: str) -> tuple[list[Job], SweepSettings]:
    """The jobs of a shipped sweep with its first seed only, and its node; composed here, where sweeps share files."""
    with mock.patch("runner.commands.plan.usable_cores", return_value=1):
        jobs, sweep, _ = examine_sweep([f"+sweep={name}", "seed=0"])
    return jobs, sweep


def seeds(name: str) -> int:
    """How many it has."""
    params = yaml.safe_load(named_sweeps()[name].read_text(encoding="utf-8"))["hydra"]["sweeper"]["params"]
    return len(str(params.get("seed", 0)).split(","))


@pytest.mark.parametrize("name", named_sweeps())
def test_a_shipped_sweep_composes_as_many_runs_as_it_says_and_its_claims_can_be_looked_up(name: str) -> None:
    assert named_sweeps()[name].read_text(encoding="utf-8").startswith(f"# run -m +sweep={name}\n")
    jobs, sweep = examined(name)
    assert [job.problem for job in jobs if job.problem] == []
    assert len(jobs) * seeds(name) == sweep.size and sweep.name == name and sweep.question and sweep.price
    configs = [
        flatten(asdict(job.settings))  # type: ignore[arg-type]
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
            assert set(condition) - {"direction", "objections"} == fields
            assert judge_claims([own | condition], [])[0].verdict == "not testable here", "it can be read"
            check_metric(condition["metric"])
            assert condition["kind"] == "equal" or (condition["versus"] is None) == (condition["kind"] == "value")
            groups = [condition["where"], *([condition["versus"]] if condition["versus"] else [])]
            assert claim["why"] or all(map(is_there, groups)), groups  # what is not tested here may need other runs


@pytest.mark.parametrize("name", named_sweeps())
def test_no_shipped_sweep_compares_a_readout_with_one_that_the_checkpoint_chooses(name: str) -> None:
    models = [job.settings.model for job in examined(name)[0] if job.settings]
    chosen = {chosen_readout(model, is_pair=False)["name"] for model in models}
    assert "auto" not in chosen or chosen == {"auto"}, "the arms would differ in more than what they compare"


@pytest.mark.parametrize("experiment", ["pretrained-hash", "pretrained-uno"])
def test_hashed_vectors_start_as_long_as_the_table_that_they_are_compared_with(experiment: str) -> None:
    arm = settings_of([f"experiment={experiment}", "data=sst2"]).model
    pretraining = settings_of(str(arm.pretrained).split()).model
    table = settings_of(str(settings_of(["experiment=pretrained-table", "data=sst2"]).model.pretrained).split()).model
    spread = 0.176  # standard deviation of hashed vectors of BERT's vocabulary before they are scaled
    assert pretraining.embedding == arm.embedding, "else the weights would be refused"
    assert spread * pretraining.embedding["scale"] == pytest.approx(table.initializer_range, rel=0.02)


def settings_of(words: list[str]) -> Settings:
    """The settings of a command."""
    return resolve(compose(words), words=words)


def test_a_shipped_sweep_passes_the_check_of_a_command() -> None:
    assert check_overrides(["+sweep=dsn_frontier"], multirun=True) == []


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


@pytest.mark.parametrize(
    "words",
    [
        ["data=files", f"data.path={'a' * 300}.csv", "data.text=text", "data.label=label"],
        ["data=demo", f"model.tokenizer={'a' * 300}"],
        ["data=demo", f"paths.output={'a' * 300}"],
    ],
)
def test_a_path_that_cannot_be_looked_at_is_the_mistake_of_its_job(words: list[str]) -> None:
    job = examine_job(Job(0, ["model=dsn", *words]), compose, 1)
    assert job.problem and job.problem.endswith("File name too long. Try another path, or fix that one")


def test_an_output_that_is_a_file_is_the_mistake_of_its_job(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    job = examine_job(Job(0, ["model=dsn", "data=demo", f"paths.output={file}"]), compose, 1)
    assert job.problem
    assert job.problem.startswith(f"paths.output={file}: {file} cannot be written to (Not a directory). Try: ")


def test_a_named_sweep_needs_m() -> None:
    (problem,) = check_overrides(["+sweep=seeds"])
    assert "run -m +sweep=seeds" in problem


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
    assert expected_seconds(job("model=dsn", "seed=2"), finished) == 15
    assert expected_seconds(job("model=dsn", "seed=2", "train.epochs=1"), finished) == 15, "the same model and data"
    assert expected_seconds(job("model=bert-mini", "seed=2"), finished) == pytest.approx(130 / 3), "the same data"
    assert expected_seconds(job("model=dsn"), []) is None
    waiting = [job("model=dsn", f"seed={seed}") for seed in range(2, 10)]
    assert remaining_seconds(waiting, finished, slots=4) == 30
    assert remaining_seconds(waiting[:1], finished, slots=4) == 15, "one run takes what it takes"
    assert remaining_seconds([], finished, slots=4) == 0 and remaining_seconds(waiting, [], slots=4) is None


@pytest.mark.parametrize(
    "content",
    [
        "# @package _global_\nmodel: [a: b\n",
        "# @package _global_\ndefaults: 3",
        "# @package _global_\ndefaults: [override /data: null]",
        "# @package _global_\ndefaults: [override /model: nosuch]",
    ],
)
def test_a_mistake_in_a_file_is_told_in_a_sweep_as_in_a_single_run(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment/mine.yaml").write_text(content, encoding="utf-8")
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    with pytest.raises(ConfigError) as single:
        resolve(compose(["experiment=mine"]))
    job = examine_job(Job(0, ["experiment=mine"]), lambda words: composed_by_hydra(words, hydra=False), 1)
    assert job.problem == str(single.value)


def test_a_checkpoint_is_checked_for_each_length_of_texts_and_once_for_all_seeds() -> None:
    changes = (["seed=0"], ["seed=1"], ["data.max_length=1024"])
    jobs = [
        Job(number, words, settings=resolve(compose(["model=minilm", "data=imdb", *words])))
        for number, words in enumerate(changes)
    ]
    asked = list[int]()

    def problem(settings: Settings) -> str | None:
        asked.append(settings.data.max_length)
        return "too long" if settings.data.max_length > 512 else None

    with mock.patch("runner.sweep.plan._checkpoint_problem", problem):
        check_starts(jobs)
    assert [job.problem for job in jobs] == [None, None, "too long"] and len(asked) == 2


@pytest.mark.parametrize(
    ("path", "text", "said"), [("nope.csv", "text", "no such file"), ("a.csv", "txt", "Try: data")]
)
def test_jobs_without_their_file_or_its_column_do_not_start(tmp_path: Path, path: str, text: str, said: str) -> None:
    (tmp_path / "a.csv").write_text("text,label\ngood,1\nbad,0\n", encoding="utf-8")
    words = ["data=files", f"data.path={tmp_path / path}", f"data.text={text}", "data.label=label"]
    sound, wrong = (Job(0, own, settings=resolve(compose(own))) for own in (["data=demo"], words))
    check_starts([sound, wrong])
    assert sound.problem is None and said in str(wrong.problem)


def test_a_plan_refuses_what_a_sweep_would_refuse(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["seed=0,1", "model=dsn", "data=files", "data.path=nope.csv", "data.text=a", "data.label=b"]
    assert plan(words) == 2
    assert capsys.readouterr().err == "run: data.path=nope.csv: no such file. Try: data.path=<a file>\n"
