"""Serves a model over HTTP: /predict, /health, a page to try it, /openapi.json. Nothing is loaded from elsewhere.

Every error is one line, {"error": ...}: 400 not JSON, 422 not the expected fields, 413 too large or too long,
408 too slow, 503 busy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect

from data.targets.masked_words import UNCUT
from runner.deploy.batcher import Batcher, Busy
from runner.deploy.exported import ExportedModel
from runner.deploy.predictor import Answer, Predictor


@dataclass(frozen=True)
class Limits:
    """The limits on one request and on the queue."""

    texts: int = 256  # in one request
    body: int = 1_000_000  # bytes
    waiting: int = 4096  # texts of all requests
    body_s: float = 30.0  # seconds until the whole body has arrived


class Question(BaseModel):
    """The body of a request to /predict."""

    model_config = ConfigDict(extra="forbid", strict=True)
    texts: list[str] = Field(min_length=1, description="texts to predict")
    pairs: list[str] | None = Field(None, description="the second text of each, for models that read two")
    truncate: bool = Field(False, description="cut texts that are too long for the model; otherwise they are an error")


class Answers(BaseModel):
    """The body of an answer: one prediction for each text, in the same order."""

    model: str = Field(description="the run that trained it")
    answers: list[dict[str, Any]] = Field(description="prediction, and probabilities by label where there are labels")


class Health(BaseModel):
    """The state of the server and the facts of its model."""

    status: str
    model: str
    name: str
    engine: str
    task: str
    labels: list[str]
    reads: int = Field(description="texts at a time: 2 for pairs")
    max_length: int = Field(description="tokens")


def load_app(exported: ExportedModel, threads: int, *, batch_size: int, hosts: Sequence[str]) -> FastAPI:
    """Load an exported model, and make the application around it."""
    return make_app(Predictor(exported, threads), batch_size=batch_size, limits=Limits(), hosts=hosts)


def make_app(predictor: Predictor, *, batch_size: int, limits: Limits, hosts: Sequence[str]) -> FastAPI:
    """The web application of a loaded model. hosts: the host names that requests may use, ["*"] for any."""
    exported = predictor.exported
    app = FastAPI(title=exported.name, version=exported.identity, docs_url=None, redoc_url=None)
    app.add_middleware(
        TrustedHostMiddleware, allowed_hosts=list(hosts)
    )  # against DNS rebinding: any web page could ask otherwise
    batcher: Batcher[Question] = Batcher(
        lambda questions: answer_questions(predictor, questions, batch_size), lambda question: len(question.texts),
        batch_size=batch_size, most=limits.waiting,
    )  # fmt: skip
    page = resources.files("runner.deploy").joinpath("page.html").read_text(encoding="utf-8")
    schema = {"content": {"application/json": {"schema": Question.model_json_schema()}}, "required": True}

    @app.exception_handler(HTTPException)
    async def refuse(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    @app.post("/predict", openapi_extra={"requestBody": schema}, summary="Predict texts")
    async def predict(request: Request) -> Answers:
        question = parse_question(await read_body(request, limits), limits.texts, exported.is_pair)
        try:
            found = await batcher.ask(question)
        except Busy as error:
            raise HTTPException(503, "busy; ask again in a second", {"Retry-After": "1"}) from error
        return Answers(model=exported.identity, answers=found)

    @app.get("/health", summary="State of the server")
    async def health() -> Health:
        return Health(
            status="ok", model=exported.identity, name=exported.name, engine=exported.engine, task=exported.task,
            labels=list(exported.labels), reads=len(exported.columns), max_length=exported.max_length,
        )  # fmt: skip

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def show() -> str:
        return page

    return app


async def read_body(request: Request, limits: Limits) -> bytes:
    """Read the body of a request, within the limits on its size and its time."""
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limits.body:
                    raise HTTPException(413, f"the request has more than {limits.body:,} bytes. Ask in parts")
    except TimeoutError as error:
        raise HTTPException(408, f"the body took more than {limits.body_s:g} s. Send it at once") from error
    except ClientDisconnect as error:
        raise HTTPException(400, "the body ended early") from error  # nobody receives this: the client has disconnected
    return bytes(body)


def parse_question(body: bytes, most: int, is_pair: bool) -> Question:
    """Parse the body of a request; HTTPException for a malformed one."""
    try:
        question = Question.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            raise HTTPException(400, f"the body is not JSON: {first['ctx']['error']}") from error
        place = ".".join(map(str, first["loc"])) or "body"
        raise HTTPException(422, f'{place}: {first["msg"]}. Expected {{"texts": ["..."]}}') from error
    if len(question.texts) > most:
        raise HTTPException(413, f"{len(question.texts)} texts in one request, at most {most}. Ask in parts")
    if is_pair != (question.pairs is not None) or len(question.texts) != len(question.pairs or question.texts):
        wanted = "as many pairs as texts" if is_pair else "texts without pairs"
        raise HTTPException(422, f"this model reads {wanted}")
    return question


def answer_questions(
    predictor: Predictor, questions: Sequence[Question], batch_size: int
) -> list[list[Answer] | HTTPException]:
    """Predict for several questions at once; a question with a text that is too long gets an exception."""
    texts = [text for question in questions for text in question.texts]
    pairs = [pair for question in questions for pair in question.pairs or ()] or None
    longest, lengths = predictor.exported.max_length, predictor.encode(texts, pairs, UNCUT).lengths
    found = iter(predictor(texts, pairs, batch_size))
    results: list[list[Answer] | HTTPException] = []
    for question in questions:
        mine, lengths = lengths[: len(question.texts)], lengths[len(question.texts) :]
        answers = [next(found) for _ in question.texts]
        if question.truncate or mine.max() <= longest:
            results.append(answers)
        else:
            worst = f"text {int(mine.argmax()) + 1} has {mine.max():,} tokens, this model reads {longest}"
            results.append(HTTPException(413, f'{worst}. Shorten it, or send "truncate": true'))
    return results
