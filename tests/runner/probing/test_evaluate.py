"""A model is probed task by task, and what the tasks have to say becomes notes of the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from data.stores.build_once import SharedCache
from runner.probing.evaluate import evaluate
from runner.probing.probed import Models
from runner.probing.results import Line, TaskReport
from runner.probing.wanted import LAYER_0, Wanted
from runner.record.subject import Subject


class Told:
    name, fingerprints = "told", {"train": "1"}

    def probe(self, models: Models) -> tuple[TaskReport, dict[str, np.ndarray]]:
        assert models.twin is not None and models.given is not None, "both were asked for"
        line = Line("word", 0, 0.5, 0.5, 0.4, 0.6)
        report = TaskReport("told", None, 2, {"train": 2, "select": 2, "report": 2}, 0.5, [line], notes=["short"])
        return report, {"word_0": np.array([1.0, 0.0])}


def test_tasks_are_probed_with_the_twin_and_the_given_model(place: Path, run_id: str) -> None:
    subject, told = Subject(str(place / "outputs" / run_id / "model"), "tiny"), list[str]()
    wanted = Wanted(("told",), ("mean",), None, "linear", (0,), False, True, True, LAYER_0, 1, "cpu")
    cache = SharedCache(place / "cache")
    report, right = evaluate(
        subject, subject, [Told()], wanted, {"data": "x"}, "x-linear", cache, torch.device("cpu"), told.append
    )
    assert told == ["told ..."] and report.notes == ["told: short"] and report.name == "x-linear"
    assert right["told"]["word_0"].tolist() == [1.0, 0.0]


def test_a_mix_that_a_task_cannot_have_is_said(place: Path, run_id: str) -> None:
    subject, cache = Subject(str(place / "outputs" / run_id / "model"), "tiny"), SharedCache(place / "cache")
    wanted = Wanted(("told",), ("mean",), (1,), "linear", (0,), False, True, True, LAYER_0, 1, "cpu", has_mix=True)
    report, _ = evaluate(
        subject, subject, [Told()], wanted, {"data": "x"}, "x-linear", cache, torch.device("cpu"), print
    )
    assert report.notes[-1] == "told: no mix over layers, which needs several layers, and classes or edges"
