"""Probes of one model on one task after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from data.json_types import JsonObject
from data.stores.build_once import SharedCache
from runner.probing.encoder import random_twin
from runner.probing.probed import Models, open_probed
from runner.probing.probing_task import ProbingTask
from runner.probing.results import ProbeReport, Right
from runner.probing.wanted import Wanted
from runner.record.json_files import now
from runner.record.subject import Subject


def evaluate(
    subject: Subject, base: Subject | None, tasks: Sequence[ProbingTask], wanted: Wanted, key: JsonObject, name: str,
    cache: SharedCache, device: torch.device, tell: Callable[[str], None],
) -> tuple[ProbeReport, Right]:  # fmt: skip
    """Probe a model on all tasks; return the report and which reported rows its probes had right.

    base: the model whose last layer is given, for given=<model>; name: of the report. Raises the errors of opening a
    model.
    """
    start, notes = time.perf_counter(), list[str]()
    probed = open_probed(subject, wanted, cache, device)
    given = None if base is None else open_probed(base, replace(wanted, pools=("mean",), layers=None), cache, device)
    twin = random_twin(probed.network, subject, 0) if wanted.has_random else None
    if wanted.has_random and twin is None:
        notes.append("no encoder with random weights to compare with: compression changed the shape of this one")
    reports, right = [], Right()
    for task in tasks:
        tell(f"{task.name} ...")
        report, right[task.name] = task.probe(Models(probed, twin, given))
        reports.append(report)
        notes += [f"{task.name}: {note}" for note in report.notes]
        if wanted.has_mix and not report.mixes:
            notes.append(f"{task.name}: no mix over layers, which needs several layers, and classes or edges")
    when = subject.record.started if subject.record else None
    seconds = round(time.perf_counter() - start, 3)
    return ProbeReport(key, name, subject.label, reports, notes, seconds, now(), when), right
