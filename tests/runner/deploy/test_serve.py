from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from runner.deploy.batcher import Batcher, Busy
from runner.deploy.exported import find_model
from runner.deploy.predictor import Predictor
from runner.deploy.service import Limits, read_body
from tests.conftest import REPO, crowding

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def address(output: Path) -> Iterator[str]:
    """A server as a process of its own, ended as Ctrl-C does."""
    command = [sys.executable, "-m", "runner.cli", "serve", "aaaa", "port=0", f"paths.output={output}"]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found
        yield found[0]
    finally:
        process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0


def ask(address: str, body: Any, host: str | None = None) -> tuple[int, dict[str, Any]]:
    """Status and content of an answer; a body that is no bytes goes as JSON."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/predict", data=sent, headers={"Host": host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def get(address: str) -> str:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return str(answer.read().decode())


def test_answers_are_those_of_predict_also_side_by_side(address: str, output: Path) -> None:
    texts = [f"the film was {'very ' * (i % 9)}{'dull' if i % 2 else 'lovely'}" for i in range(24)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: ask(address, {"texts": [text]}), texts))
    assert {status for status, _ in found} == {200} and {content["model"] for _, content in found} == {"aaaa"}
    expected = Predictor(find_model("aaaa", output, "auto"))(texts)
    for (_, content), answer in zip(found, expected):
        assert content["answers"][0]["prediction"] == answer["prediction"]
        assert content["answers"][0]["probabilities"] == pytest.approx(answer["probabilities"], abs=1e-5)
    _, together = ask(address, {"texts": texts})
    assert [answer["prediction"] for answer in together["answers"]] == [answer["prediction"] for answer in expected]


BAD: dict[str, tuple[Any, int, str]] = {
    "not JSON": (b'{"texts": ', 400, "the body is not JSON"),
    "no UTF-8": (b'{"texts": ["\xff"]}', 400, "the body is not JSON"),
    "half a character": (b'{"texts": ["\\ud800"]}', 400, "the body is not JSON"),
    "other fields": ({"text": "a"}, 422, "texts: Field required"),
    "more fields": ({"texts": ["a"], "top": 3}, 422, "top: Extra inputs"),
    "no list": ({"texts": "a"}, 422, "texts must be a list"),
    "a number": ({"texts": [5]}, 422, "texts[0] must be a string"),
    "no text": ({"texts": []}, 422, "texts"),
    "pairs": ({"texts": ["a"], "pairs": ["b"]}, 422, "texts without pairs"),
    "many texts": ({"texts": ["a"] * 257}, 413, "at most 256"),
    "many bytes": (b" " * 1_000_001, 413, "more than 1,000,000 bytes"),
    "a long text": ({"texts": ["a", "so " * 99]}, 413, "text 2 has 200 tokens, this model reads 64"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_requests_are_one_line_with_their_status(case: str, address: str) -> None:
    body, status, expected = BAD[case]
    found, content = ask(address, body)
    assert found == status and list(content) == ["error"] and expected in content["error"]


def test_a_long_text_is_cut_on_demand_and_harms_nobody_else(address: str) -> None:
    long = {"texts": ["so " * 99]}
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda body: ask(address, body)[0], [long, {"texts": ["a"]}] * 6))
    assert found == [413, 200] * 6
    assert ask(address, long | {"truncate": True})[0] == 200


def test_health_description_and_page_need_no_network(address: str) -> None:
    health = json.loads(get(f"{address}/health"))
    assert health["status"] == "ok" and health["labels"] == ["negative", "positive"] and health["max_length"] == 64
    described = json.loads(get(f"{address}/openapi.json"))
    body = described["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["texts"]
    page = get(f"{address}/")
    assert "<textarea" in page and not re.findall(r"(?:src|href|action)=\"?https?:|//[a-z]+\.", page)


def test_the_page_runs_its_own_script_alone(address: str) -> None:
    with urllib.request.urlopen(f"{address}/", timeout=60) as answer:
        page, policy = answer.read().decode(), answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "connect-src 'self'" in policy
    for name in ("style", "script"):
        content = page[page.index(f"<{name}>") + len(name) + 2 : page.index(f"</{name}>")]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert " on" + "click=" not in page and "innerHTML" not in page


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_the_page_shows_scores_with_two_digits_and_the_words_that_spoke(
    address: str, output: Path, tmp_path: Path
) -> None:
    text = "a lovely <b>film</b>"
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom",
        "--virtual-time-budget=5000", "--timeout=20000", f"{address}/#{quote(text)}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    shown = done.stdout[done.stdout.index('<section id="answer"') :]
    (answer,) = Predictor(find_model("aaaa", output, "auto"))([text])
    assert f'<p class="answer" dir="auto">{answer["prediction"]}</p>' in shown
    for share in answer["probabilities"].values():
        assert f">{share:.2f}</div>" in shown
    assert (
        f"Words that spoke for {answer['prediction']}" in shown
        and "leave one word out" in shown
        and "scores, not probabilities" in shown
    )
    assert "&lt;" in shown and "<b>" not in shown, "texts stay text"


def test_metrics_ids_and_reasons_are_there(address: str) -> None:
    request = urllib.request.Request(
        f"{address}/predict", b'{"texts": ["a", "b"], "explain": true}', {"X-Request-ID": "t-1"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.headers["X-Request-ID"] == "t-1"
        reasons = json.load(answer)["answers"][0]["reasons"]
    assert reasons["method"] == "leave one word out" and [part["text"] for part in reasons["parts"]] == ["a"]
    counts = get(f"{address}/metrics")
    assert 'bertier_requests_total{path="/predict",status="200"}' in counts and "bertier_batch_texts_count" in counts
    assert 'model="aaaa"' in counts


def test_thirty_two_clients_are_answered_evenly_and_leave_no_memory_behind(address: str) -> None:
    """A short form of tests/benchmarks/bench_serve.py."""

    def memory() -> float:
        found = re.search(r"process_resident_memory_bytes (\d+)", get(f"{address}/metrics"))
        return int(found[1]) / 1e6 if found else 0.0

    def ask_some(number: int) -> list[tuple[int, float]]:
        connection, found = HTTPConnection(address.removeprefix("http://"), timeout=60), []
        for turn in range(6):
            began = time.perf_counter()
            connection.request(
                "POST", "/predict", json.dumps({"texts": [f"film {number} was very dull " * (turn % 4)]})
            )
            answer = connection.getresponse()
            answer.read()
            found.append((answer.status, time.perf_counter() - began))
        connection.close()
        return found[2:]  # the first ones wait for all to connect

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(ask_some, range(16)))  # fills caches
        before = memory()
        answers = [one for some in pool.map(ask_some, range(32)) for one in some]
    assert {status for status, _ in answers} == {200}
    seconds = sorted(seconds for _, seconds in answers)
    assert seconds[int(0.99 * len(seconds))] < 20 * seconds[len(seconds) // 2] * crowding()
    assert memory() - before < 20


def test_other_sites_cannot_ask_through_a_browser(address: str) -> None:
    status, told = ask(address, {"texts": ["a"]}, "elsewhere.example")
    assert status == 400 and "names another host than localhost or 127.0.0.1" in told["error"]
    for own in ("localhost", "LocalHost:8000"):  # names of hosts have no case
        assert ask(address, {"texts": ["a"]}, own)[0] == 200


def test_what_comes_while_a_batch_is_computed_is_the_next_batch() -> None:
    batches: list[list[int]] = []

    def answer(questions: Sequence[int]) -> list[int | Exception]:
        batches.append(list(questions))
        time.sleep(0.1)
        return [ValueError("no") if question == 5 else 10 * question for question in questions]

    async def asked() -> list[int | BaseException]:
        batcher: Batcher[int, int] = Batcher(answer, lambda _: 1, lambda _: 1, batch_size=4, most=7)
        first = asyncio.create_task(batcher.ask(0))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(batcher.ask(number)) for number in range(1, 9)]
        return list(await asyncio.gather(first, *others, return_exceptions=True))

    found = asyncio.run(asked())
    assert batches == [[0], [1, 2, 3, 4], [5, 6, 7]], "alone at once, then in company, at most four"
    assert found[:5] == [0, 10, 20, 30, 40] and found[6:8] == [60, 70]
    assert isinstance(found[5], ValueError) and isinstance(found[8], Busy), "eight wait, seven may"


class Slow:
    """A request whose body stops in the middle, or whose client goes away."""

    def __init__(self, gone: bool) -> None:
        self.gone = gone

    async def stream(self) -> AsyncIterator[bytes]:
        """Half a body."""
        yield b'{"texts'
        if self.gone:
            raise ClientDisconnect
        await asyncio.sleep(30)


@pytest.mark.parametrize(("gone", "status"), [(False, 408), (True, 400)])
def test_nobody_waits_for_half_a_body(gone: bool, status: int) -> None:
    with pytest.raises(HTTPException) as raised:
        asyncio.run(read_body(cast(Any, Slow(gone)), Limits(body_s=0.05)))
    assert raised.value.status_code == status
