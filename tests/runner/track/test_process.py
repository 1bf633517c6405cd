"""The helper process: one attempt for piled-up requests, sweeps after their runs, and an answer whatever happens."""

from __future__ import annotations

import io
import json
import os
import queue
from pathlib import Path

import pytest

from data.json_types import JsonObject
from runner.track import process
from runner.track.connection import MlflowTarget
from runner.track.process import MirrorWorker
from runner.track.settings import TrackerSettings
from tests.runner.track.folders import write_record


def test_requests_that_piled_up_are_one_attempt_and_sweeps_come_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, sweep = write_record(tmp_path / "aaa"), tmp_path / "sweeps" / "s"
    sweep.mkdir(parents=True)
    (sweep / "sweep.json").write_text("{}", encoding="utf-8")
    done: list[str] = []
    monkeypatch.setattr(MirrorWorker, "connect", lambda self: None)
    monkeypatch.setattr(process, "sync_run", lambda folder, *_: done.append(folder.name))
    monkeypatch.setattr(process, "sync_sweep", lambda folder, *_: done.append(folder.name))
    replies = io.StringIO()
    messages: queue.Queue[JsonObject | None] = queue.Queue()
    for message in ({"sync": str(sweep), "id": 1}, {"sync": str(run), "id": 2}, {"sync": str(run), "id": 3}, None):
        messages.put(message)
    process._serve(MirrorWorker(TrackerSettings(), tmp_path, replies), messages)
    assert done == ["aaa", "s"]
    answers = [json.loads(line) for line in replies.getvalue().splitlines()]
    assert [(answer["id"], answer["problem"]) for answer in answers] == [(3, None), (1, None)]


def test_any_failure_becomes_an_answer_and_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> str:
        raise ZeroDivisionError("http://user:secret@host")

    monkeypatch.setattr(MirrorWorker, "connect", lambda self: None)
    monkeypatch.setattr(process, "sync_run", fail)
    folder, replies = write_record(tmp_path / "aaa"), io.StringIO()
    MirrorWorker(TrackerSettings(), tmp_path, replies).sync(str(folder), 7)
    assert json.loads(replies.getvalue())["problem"] == "ZeroDivisionError: http://***@host"
    assert json.loads((folder / "mlflow.json").read_text(encoding="utf-8"))["problem"].startswith("ZeroDivisionError")


def test_the_helper_goes_on_where_mlflow_cannot_be_opened_for_whatever_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> MlflowTarget:
        raise ZeroDivisionError

    served: list[MirrorWorker] = []
    first = json.dumps({"settings": {}, "output": str(tmp_path)})
    monkeypatch.setattr(process, "connect", fail)
    monkeypatch.setattr(process, "_serve", lambda worker, _messages: served.append(worker))
    monkeypatch.setattr(process.sys, "stdin", io.StringIO(f"{first}\n"))
    monkeypatch.setattr(process.sys, "stdout", io.StringIO())
    monkeypatch.setattr(process.sys, "stderr", io.StringIO())
    for name, fake in (("dup", lambda _: os.open(os.devnull, os.O_WRONLY)), ("dup2", id), ("_exit", id), ("nice", id)):
        monkeypatch.setattr(process.os, name, lambda *args, fake=fake: fake(args[0]))
    process.main()
    assert served and served[0].target is None
