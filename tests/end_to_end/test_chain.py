"""Compression chains: each stage is scored, saved and measured; interruptions; stages applied to a finished run."""

from __future__ import annotations

import errno
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from models.checkpoints.open import load_model
from models.checkpoints.read import read_state
from models.compression.settings import METHODS
from models.compression.settings.chain import missing_requirements, out_of_order
from models.compression.settings.learn import TaughtSettings
from models.compression.settings.stage import StageSettings
from models.compression.stage import Stage, StageContext, Targets, TrainingHook
from runner.config.compose import compose
from runner.config.from_run import expand_from
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment.run import run
from runner.machine import matmul as engine
from runner.machine.threads import set_threads
from runner.record.folder import read_all_records, read_record
from runner.record.record import RunRecord
from runner.record.writer import RecordWriter
from runner.schema import Settings


@dataclass
class Learning(StageSettings):
    phase: ClassVar[str] = "learn"
    method: str = "doubling"


@dataclass
class Fresh(TaughtSettings):
    method: str = "doubling"

    @property
    def replaces_training(self) -> bool:
        return True


@dataclass
class Zeroing(StageSettings):
    phase: ClassVar[str] = "prune"
    needs_encoder: ClassVar[bool] = True


@dataclass
class Rounding(StageSettings):
    phase: ClassVar[str] = "quantize"
    method: str = "rounding"


class Doubled(TrainingHook):
    """Doubles the loss, trains an extra module, and counts the steps."""

    def __init__(self) -> None:
        self.steps = 0

    def begin(self, model: nn.Module, total_steps: int) -> None:
        self.extra = nn.Linear(2, 2)

    def after_step(self, step: int) -> None:
        self.steps += 1

    def loss(self, task_loss: Tensor, logits: Tensor, targets: Targets, rows: Any) -> Tensor:
        assert self.extra is not None
        return 2 * task_loss + self.extra(logits).square().mean()

    def state(self) -> dict[str, Tensor]:
        return {"steps": torch.tensor(self.steps)}

    def load(self, state: dict[str, Tensor]) -> None:
        self.steps = int(state.get("steps", self.steps))


class Doubling(Stage):
    """Two training phases; `stop` interrupts before or after progress is saved between them, or within the second."""

    stop = ""

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        found = context.load_progress()
        if found:
            model.load_state_dict(found[0])
            assert found[1] == {"phase": 1}
        else:
            context.train(model, Doubled(), phase="first", epochs=1, lr=1e-3)
            context.log_point({"train/area": 0.25})
            if self.stop == "end of phase":
                raise KeyboardInterrupt
            context.save_progress(model, {"phase": 1})
        if self.stop == "boundary":
            raise KeyboardInterrupt
        hook = Doubled()
        if self.stop == "within":
            hook.after_step = self._interrupt  # type: ignore[method-assign]
        phase = context.train(model, hook, phase="second", epochs=2, lr=1e-3)
        assert phase.metric == context.score(model), "the kept weights are the best ones"
        context.add_metrics({"train/area": 0.5})
        return model

    @staticmethod
    def _interrupt(step: int) -> None:
        if step == 3:
            raise KeyboardInterrupt


class Rounding1(Stage):
    """Rounds weights to one decimal, and wraps the head in another module."""

    def run(self, model: nn.Module, context: StageContext) -> nn.Module:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_((parameter * 10).round() / 10)
        description = {"method": "rounding", "digits": 1}
        model.architecture["compressed"] = [description]  # type: ignore[index,operator]
        return restore(model, description)


def restore(model: Any, description: dict[str, Any]) -> nn.Module:
    model.classifier = nn.Sequential(model.classifier)
    out: nn.Module = model
    return out


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, stage in {"doubling": Doubling, "rounding": Rounding1}.items():
        module = ModuleType(f"models.compression.{name}")
        module.__dict__.update({name.title(): stage, "restore": restore})
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(METHODS, name, Learning)
    monkeypatch.setattr(Doubling, "stop", "")


def settings(tmp_path: Path, **chosen: StageSettings) -> Settings:
    words = [
        "model=dsn", "data=demo", "data.demo_rows=1200", "data.max_rows=160", "train.epochs=2", "measure=off",
        "tracker=none", f"paths.output={tmp_path / 'outputs'}", f"paths.cache={tmp_path / 'cache'}",
    ]  # fmt: skip
    found = resolve(compose(words))
    found.compression = dict(chosen)
    return found


def tensors(record: RunRecord, tmp_path: Path) -> dict[str, Tensor]:
    return read_state(str(tmp_path / "outputs" / record.identity / "model"), "")


@pytest.mark.usefixtures("stages")
def test_each_stage_is_scored_saved_and_measured_and_the_next_goes_on_from_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = settings(tmp_path, doubling=Learning(), rounding=Rounding())
    outcome = run(chosen, [])
    record, shown = outcome.record, capsys.readouterr().out
    lines = shown[shown.index("after each stage") :].splitlines()
    assert "stage 3 of 3: rounding" in shown
    assert any(line.split()[:1] == ["doubling"] and "…" not in line for line in lines), "whole, also in a pipe"
    assert outcome.exit_code == 0 and record is not None
    assert [entry.name for entry in record.stages] == ["train", "doubling", "rounding"]
    for entry in record.stages:
        assert {"test/accuracy", "cost/params", "cost/bytes_file", "cost/macs"} <= entry.metrics.keys()
        assert entry.seconds == entry.metrics["time/stage_s"]
    assert record.stages[1].metrics["train/area"] == 0.5 != record.stages[0].metrics["train/area"]
    zeros = [entry.metrics["cost/params_nonzero"] for entry in record.stages]
    assert zeros[2] < zeros[1] and record.metrics["cost/params_nonzero"] == zeros[2]
    folder = tmp_path / "outputs" / record.identity
    runs = [entry.run for entry in record.stages]
    assert {found.identity: [entry.name for entry in found.stages] for found in read_all_records(folder.parent)[0]} == {
        runs[0]: ["train"], runs[1]: ["train", "doubling"], runs[2]: ["train", "doubling", "rounding"],
    }, "a run of its own each"  # fmt: skip
    before, after = load_model(folder.parent / runs[1] / "model"), load_model(folder / "model")
    assert torch.equal((before.classifier.weight * 10).round() / 10, after.classifier[0].weight)  # type: ignore[index]
    assert after.architecture["compressed"] == [{"method": "rounding", "digits": 1}]
    steps = [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert steps == sorted(steps) and steps[-1] == record.metrics["train/steps"], "one axis over all trainings"
    assert not (folder / "checkpoints").exists() and not (folder / "boundaries").exists()


def points(record: RunRecord, output: Path) -> list[dict[str, float]]:
    """Return the logged points of a run, without times."""
    lines = (output / "outputs" / record.identity / "metrics.jsonl").read_text().splitlines()
    timed = ("time", "train/examples_per_s")
    return [{name: value for name, value in json.loads(line).items() if name not in timed} for line in lines]


@pytest.mark.usefixtures("stages")
@pytest.mark.parametrize(
    ("place", "is_killed"), [("end of phase", False), ("boundary", False), ("within", True)], ids=str
)
def test_an_interrupted_chain_goes_on_where_it_was_and_ends_the_same(
    place: str, is_killed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(settings(tmp_path / "whole", doubling=Learning()), []).record
    monkeypatch.setattr(Doubling, "stop", place)
    chosen = settings(tmp_path, doubling=Learning())
    chosen.checkpoint.every_s = 1e-9
    with monkeypatch.context() as patch:
        if is_killed:  # then it cannot write its final record
            finish = RecordWriter.finish
            patch.setattr(RecordWriter, "finish", lambda *words: finish(*words) if words[1] == "done" else None)
        killed = run(chosen, [])
    assert killed.exit_code == 130 and killed.record and [s.name for s in killed.record.stages] == ["train"]
    assert killed.record.status == ("running" if is_killed else "killed") and killed.record.config["compression"]
    monkeypatch.setattr(Doubling, "stop", "")
    chosen.checkpoint.every_s, chosen.resume = 1e9, "must"
    record = run(chosen, []).record
    assert whole and record and record.status == "done" and record.identity == whole.identity
    before, after = tensors(whole, tmp_path / "whole"), tensors(record, tmp_path)
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    same = ("test/accuracy", "test/loss", "train/steps", "train/area")
    for ours, theirs in zip(record.stages, whole.stages, strict=True):
        assert all(ours.metrics[name] == theirs.metrics[name] for name in same)
    assert points(record, tmp_path) == points(whole, tmp_path / "whole"), "each point once"


@pytest.mark.usefixtures("stages")
def test_a_run_that_goes_on_on_another_processor_ends_as_it_would_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def on(maker: str) -> None:
        monkeypatch.setattr(engine, "cpu_features", lambda: (maker, frozenset({"avx512f"})))

    on("AuthenticAMD")
    whole = run(settings(tmp_path / "whole", doubling=Learning()), []).record
    monkeypatch.setattr(Doubling, "stop", "within")
    chosen = settings(tmp_path, doubling=Learning())
    chosen.checkpoint.every_s = 1e-9
    assert run(chosen, []).exit_code == 130
    on("GenuineIntel")
    monkeypatch.setattr(Doubling, "stop", "")
    record = run(chosen, []).record
    assert whole and record and record.environment.engine["gemm"] == whole.environment.engine["gemm"]
    before, after = tensors(whole, tmp_path / "whole"), tensors(record, tmp_path)
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.usefixtures("stages")
@pytest.mark.parametrize(("words", "threads"), [([], 1), (["train.threads=2"], 2)], ids=["chosen", "named"])
def test_a_run_goes_on_with_the_threads_it_began_with_unless_the_command_names_others(
    words: list[str], threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Doubling, "stop", "boundary")
    chosen = settings(tmp_path, doubling=Learning())
    run(chosen, [])
    monkeypatch.setattr(Doubling, "stop", "")
    chosen.train.threads = 2  # as on a machine with more cores, or in a sweep with fewer jobs
    try:
        record = run(chosen, words).record
    finally:
        set_threads(1)
    assert record and record.environment.threads == record.config["train"]["threads"] == threads
    assert any("not bit for bit" in note for note in record.notes) == (threads == 2)


@pytest.mark.usefixtures("stages")
def test_resume_says_whether_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = settings(tmp_path, doubling=Learning())
    chosen.resume = "must"
    with pytest.raises(ConfigError, match="nothing that this run could continue from"):
        run(chosen, [])
    assert not list((tmp_path / "outputs").glob("*/record.json"))
    monkeypatch.setattr(Doubling, "stop", "boundary")
    chosen.resume = "auto"
    begun = run(chosen, []).record
    again = run(chosen, []).record
    chosen.resume = "never"
    restarted = run(chosen, []).record
    assert begun and again and restarted and begun.started == again.started < restarted.started
    monkeypatch.setattr(Doubling, "stop", "")
    chosen.resume = "must"
    done = run(chosen, [])
    assert done.record and (done.exit_code, done.record.started) == (0, restarted.started)
    assert run(chosen, []).was_done, "a finished run is found"


@pytest.mark.usefixtures("stages")
def test_a_disk_that_is_full_at_the_end_is_reported_and_the_same_command_finishes_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    chosen = settings(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(RecordWriter, "finish", full)
        failed = run(chosen, [])
    assert failed.exit_code == 1 and failed.record and "No space left" in failed.record.reason
    assert "the record cannot be written" in capsys.readouterr().out
    folder = tmp_path / "outputs" / failed.record.identity
    found = read_record(folder)
    assert found and found.status == "running"
    record = run(chosen, []).record
    assert record and (record.status, record.reason) == ("done", None)
    with monkeypatch.context() as patch, pytest.raises(ConfigError, match=r"No space left.*paths\.output="):
        patch.setattr("runner.experiment.run.prepare_run", full)
        run(chosen, [])


@pytest.mark.usefixtures("stages")
def test_a_stage_that_trains_by_itself_comes_without_the_plain_training(tmp_path: Path) -> None:
    record = run(settings(tmp_path, doubling=Fresh()), []).record
    assert record and [entry.name for entry in record.stages] == ["doubling"]
    assert record.metrics["train/steps"] > 0 and record.metrics["time/train_s"] > 0


@pytest.mark.usefixtures("stages")
def test_stages_on_a_finished_run_train_nothing_before_them(tmp_path: Path) -> None:
    first = run(settings(tmp_path), ["model=dsn", "data=demo", "compression=[none]", "force=true", "seed=0"]).record
    assert first
    words = expand_from(
        [f"from={first.identity[:6]}", "compression=[rounding]", f"paths.output={tmp_path / 'outputs'}", "seed=1"]
    )
    folder = tmp_path / "outputs" / first.identity / "model"
    assert words == [
        "model=dsn", "data=demo", "compression=[rounding]", f"paths.output={tmp_path / 'outputs'}", "seed=1",
        f"finished={folder}",
    ]  # fmt: skip
    chosen = settings(tmp_path, rounding=Rounding())
    chosen.finished = str(folder)
    record = run(chosen, []).record
    assert record and [entry.name for entry in record.stages] == ["rounding"]
    assert record.identity != first.identity and "train/steps" not in record.metrics
    before, after = tensors(first, tmp_path), tensors(record, tmp_path)
    assert torch.equal((before["classifier.weight"] * 10).round() / 10, after["classifier.0.weight"])
    assert len(read_all_records(tmp_path / "outputs")[0]) == 2
    assert read_record(tmp_path / "outputs" / first.identity) == first, "the finished run is untouched"
    chosen = settings(tmp_path, rounding=Rounding(), again=Rounding())  # the run before has logged no points
    chosen.finished = str(folder)
    record = run(chosen, []).record
    assert record and record.status == "done" and [entry.name for entry in record.stages] == ["rounding", "again"]


def test_stages_in_an_impossible_order_are_refused() -> None:
    learning, zeroing, rounding = Learning(), Zeroing(), Rounding()
    assert out_of_order({"a": learning, "b": zeroing, "c": rounding}) == []
    assert "Try: 'compression=[a,b]'" in out_of_order({"b": zeroing, "a": learning})[0]
    assert "Try: 'compression=[b,c]'" in out_of_order({"c": rounding, "b": zeroing})[0]
    assert "both quantize the same weights" in out_of_order({"c": rounding, "d": rounding})[0]
    assert "learns from a teacher" in missing_requirements({"x": Fresh()}, has_encoder=True)[0]
    assert missing_requirements({"x": Fresh(teacher="bert")}, has_encoder=True) == []
    assert "model=dsn has none" in missing_requirements({"b": zeroing}, has_encoder=False)[0]


def test_the_order_of_the_stages_names_the_run(tmp_path: Path) -> None:
    from runner.record.identity import identify

    found = [
        identify(settings(tmp_path, **chosen), "d", "t", "w")
        for chosen in ({}, {"a": Learning(), "b": Learning()}, {"b": Learning(), "a": Learning()})
    ]
    assert len(set(found)) == 3


@pytest.mark.usefixtures("stages")
def test_chains_that_begin_alike_share_what_they_begin_with(tmp_path: Path) -> None:
    words = ["model=dsn", "seed=0", "density=0.5", "compression=[doubling,rounding]", "compression.rounding.digits=1"]
    plain = run(settings(tmp_path), ["model=dsn"]).record
    record = run(settings(tmp_path, doubling=Learning(), rounding=Rounding()), words).record
    other = run(settings(tmp_path, rounding=Rounding()), words).record
    assert plain and record and other
    assert len(read_all_records(tmp_path / "outputs")[0]) == 4, "plain; doubling; doubling, rounding; rounding"
    assert record.stages[0] == other.stages[0] == plain.stages[0]
    middle = read_record(tmp_path / "outputs" / record.stages[1].run)
    assert middle and middle.overrides == ["model=dsn", "seed=0", "compression=[doubling]"], "it keeps no share"


@pytest.mark.usefixtures("stages")
def test_a_chain_whose_beginning_is_interrupted_does_not_begin_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Doubling, "stop", "within")
    outcome = run(settings(tmp_path, doubling=Learning(), rounding=Rounding()), [])
    assert outcome.exit_code == 130 and outcome.record and list(outcome.record.config["compression"]) == ["doubling"]
    assert [found.status for found in read_all_records(tmp_path / "outputs")[0]] == ["done", "killed"]
    monkeypatch.setattr(Doubling, "stop", "")
    again = run(settings(tmp_path, doubling=Learning(), rounding=Rounding()), [])
    assert again.exit_code == 0 and again.record and len(again.record.stages) == 3
