"""The view of the list of runs: its columns and order, the experiment it is written to, and the scores it shows."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from runner.track.view import KIND, TAG, common_scores, view_state, write_view
from tests.runner.track.folders import write_record


def test_the_columns_are_score_bytes_and_time_and_the_best_run_is_first() -> None:
    state = view_state(["test/accuracy"])
    assert state["selectedColumns"][:3] == [
        "metrics.`test/accuracy`", "metrics.`cost/bytes_deployed`", "metrics.`speed/answer_us_p50`",
    ]  # fmt: skip
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`test/accuracy`", False)
    assert view_state(["test/mse"])["orderByAsc"] is True and view_state([])["orderByKey"] == "attributes.start_time"
    assert view_state(["test/ndcg@10"])["orderByKey"] == "metrics.`test/ndcg_at_10`", "as it is sent"
    sections = [section["name"] for section in state["compareRunSections"]]
    assert sections[:2] == ["at_step", "test"] and len(set(sections)) == len(sections)
    hidden = [section["name"] for section in state["compareRunSections"] if not section["display"]]
    assert all(name.startswith("detail/") for name in hidden) and "detail/speed" in hidden
    assert len(json.dumps(view_state(["test/accuracy"] * 3))) < 20_000, "the limit of MLflow for a tag"


def test_the_scores_are_those_of_most_runs(tmp_path: Path) -> None:
    assert common_scores(tmp_path) == []
    for number, primary in enumerate(("test/f1", "test/accuracy", "test/accuracy")):
        data = {"name": "x", "rows": {}, "task": "classification", "primary": primary}
        write_record(tmp_path / f"run{number}", data=data)
    (tmp_path / "run3").mkdir()
    (tmp_path / "run3" / "record.json").write_text("{half")
    assert common_scores(tmp_path) == ["test/accuracy", "test/f1"]


@pytest.fixture
def server() -> Iterator[tuple[str, list[Any]]]:
    """The address of a stand-in for MLflow with the experiment `bertier`, and the tags that it was given."""
    given: list[Any] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = self.path.endswith("experiment_name=bertier")
            self.answer(200 if is_known else 404, {"experiment": {"experiment_id": "7"}})

        def do_POST(self) -> None:
            given.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(200, {})

        def answer(self, code: int, content: Any) -> None:
            self.send_response(code)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: Any) -> None:
            pass

    found = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_port}", given
    found.shutdown()


def test_the_view_is_written_into_the_experiment_that_is_opened(server: tuple[str, list[Any]]) -> None:
    address, given = server
    expected = f"{address}/#/experiments/7/runs?workflowType=machine_learning&viewStateShareKey=bertier"
    assert write_view(address, "bertier", ["test/accuracy"]) == expected
    assert [tag["key"] for tag in given] == [TAG, KIND[0]] and given[0]["experiment_id"] == "7"
    assert write_view(address, "other", []) == "" and len(given) == 2


def test_a_proxy_that_the_environment_names_is_not_asked(
    server: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urllib.request, "_opener", None)  # it keeps the proxies of the first request
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert write_view(server[0], "bertier", []).startswith(server[0])
