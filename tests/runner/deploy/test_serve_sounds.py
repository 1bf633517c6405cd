"""`run serve` for sounds: their content comes in base64, and no request can name a file of the server's disk."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")

from starlette.exceptions import HTTPException

from runner.deploy.exported import find_model
from runner.deploy.predictors import open_predictor
from runner.deploy.service import SOUND_LIMITS, answer_questions, load_app
from runner.deploy.service_models import question_model
from tests.data.inputs.sounds import sound_file, tone
from tests.runner.deploy.sound_runs import CLIPS, write_clips, write_sound_run


class Client:
    """Asks an application without a network."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], str]:
        """Status, headers and text of the answer; body: of a POST."""
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body or b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET" if body is None else "POST", "path": path, "query_string": b"",
                 "headers": [(b"host", b"localhost")], "raw_path": path.encode(), "scheme": "http"}  # fmt: skip
        asyncio.run(self.app(scope, receive, send))
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]).decode()

    def predict(self, body: Any) -> tuple[int, Any]:
        """Status and content of an answer to a body that becomes JSON."""
        status, _, text = self.ask("/predict", json.dumps(body).encode())
        return status, json.loads(text)


def coded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    write_sound_run(folder, "5555")
    write_clips(folder / "clips")
    return folder


@pytest.fixture(scope="module", params=["auto", "torch"])
def client(output: Path, request: pytest.FixtureRequest) -> Client:
    return Client(load_app(find_model("5555", output, request.param), 1, batch_size=8, hosts=["*"]))


def test_answers_are_those_of_predict(client: Client, output: Path) -> None:
    status, answer = client.predict({"sounds": [coded(content) for content in CLIPS.values()]})
    wanted = open_predictor(find_model("5555", output, "auto"))(list(CLIPS.values()))
    assert status == 200
    for mine, other in zip(answer["answers"], wanted, strict=True):
        assert mine["prediction"] == other["prediction"]
        assert mine["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


BAD: dict[str, tuple[Any, int, str]] = {
    "a path": ({"sounds": ["/etc/passwd1"]}, 422, "Try: convert it to WAV"),
    "a path with a suffix": ({"sounds": ["clips/a.wav"]}, 422, 'Expected {"sounds": ["<a file in base64>"]}'),
    "a path in texts": ({"texts": ["clips/a.wav"]}, 422, "sounds: Field required"),
    "a text": ({"sounds": [coded(b"this is a text, not a sound")]}, 422, "sound 1 is not a complete sound file"),
    "the second": ({"sounds": [coded(CLIPS["a"]), coded(b"")]}, 422, "sound 2 is empty"),
    "truncated": ({"sounds": [coded(CLIPS["a"][:2000])]}, 422, "sound 1 is truncated"),
    "pairs": ({"sounds": [coded(CLIPS["a"])], "pairs": ["b"]}, 422, "sounds without pairs"),
    "too many": ({"sounds": [coded(b"a")] * 65}, 413, "65 sounds in one request, at most 64"),
    "too long": ({"sounds": [coded(sound_file(tone(300.0, 1.5)))]}, 413, "sound 1 has 12 frames, this model reads 9"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_sounds_are_one_line_with_their_status(case: str, client: Client) -> None:
    body, status, reason = BAD[case]
    found, answer = client.predict(body)
    assert found == status and list(answer) == ["error"]
    assert reason in answer["error"] and "\n" not in answer["error"]


def test_a_bad_sound_harms_nobody_else_and_a_long_one_is_cut_on_demand(client: Client) -> None:
    long = {"sounds": [coded(sound_file(tone(300.0, 1.5)))], "truncate": True, "explain": True}
    status, answer = client.predict(long)
    assert status == 200 and "reasons" not in answer["answers"][0]
    assert client.predict({"sounds": ["a" * SOUND_LIMITS.body]})[0] == 413
    assert client.predict({"sounds": [coded(CLIPS["a"])]})[0] == 200


def test_of_several_questions_at_once_only_the_bad_one_is_refused(output: Path) -> None:
    predictor = open_predictor(find_model("5555", output, "auto"))
    model, contents = question_model(predictor.request_fields), (CLIPS["a"], b"none", CLIPS["b"])
    asked = [model.model_validate_json(json.dumps({"sounds": [coded(content)]})) for content in contents]
    first, bad, last = answer_questions(predictor, asked, 8)
    assert isinstance(bad, HTTPException) and bad.status_code == 422
    assert [first, last] == [predictor([CLIPS["a"]]), predictor([CLIPS["b"]])]


def test_page_and_facts_say_what_is_asked(client: Client) -> None:
    health = json.loads(client.ask("/health")[2])
    assert health["asks"] == [{"name": "sound", "type": "sound", "meaning": "A sound file", "names": []}]
    assert health["explains"] == ""
    _, headers, page = client.ask("/")
    assert 'type="file"' in page and "media-src blob:" in headers["content-security-policy"]
    described = json.loads(client.ask("/openapi.json")[2])["paths"]["/predict"]["post"]
    schema = described["requestBody"]["content"]["application/json"]["schema"]
    assert described["summary"] == "Predict sounds" and schema["required"] == ["sounds"]
