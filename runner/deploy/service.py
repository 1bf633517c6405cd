"""Serves a model over HTTP: /predict, /health, a page to try it, /openapi.json. Nothing is loaded from elsewhere.

Every error is one line, {"error": ...}: 400 not JSON, 422 not the expected fields, 413 too large or too long,
408 too slow, 503 busy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect

from data.inputs import request as fields
from runner.deploy.answer_table import Answer
from runner.deploy.batcher import Batcher, Busy
from runner.deploy.exported import ExportedModel
from runner.deploy.predictors import AnyPredictor
from runner.deploy.promise import Promise
from runner.deploy.rejecting import open_answering


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


class WordsQuestion(Question):
    """The body of a request to a model that reads words."""

    texts: list[str | list[str]] = Field(  # type: ignore[assignment]
        min_length=1, description="texts to predict, each a text or a list of its words"
    )


class Span(BaseModel):
    """A part of a text and what it is."""

    type: str
    text: str
    start: int = Field(description="of its first character in the text")
    end: int = Field(description="of the character after its last")
    score: float


TYPES: dict[fields.FieldType, Any] = {
    "text": str, "label": str, "number": float, "shares": dict[str, float], "spans": list[Span], "tags": list[str],
}  # fmt: skip


def answers_model(answer_fields: Sequence[fields.Field]) -> type[BaseModel]:
    """The body of an answer: the run that trained the model, and an answer for each text in the same order."""
    described = {field.name: (TYPES[field.type], Field(description=field.meaning)) for field in answer_fields}
    answer: Any = create_model("Answer", **described)  # type: ignore[call-overload]
    answers = (list[answer], Field(description="one for each text, in the same order"))
    return create_model("Answers", model=(str, Field(description="the run that trained it")), answers=answers)


class FieldFacts(BaseModel):
    """A field of a question or an answer."""

    name: str
    type: str
    meaning: str
    names: list[str]


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
    calibration: str = Field(description="are the shares of its answers probabilities, and by which rows?")
    asks: list[FieldFacts] = Field(description="what a question consists of")
    answers: list[FieldFacts] = Field(description="what an answer consists of")


def load_app(
    exported: ExportedModel, threads: int, *, batch_size: int, hosts: Sequence[str], promise: Promise | None = None
) -> FastAPI:
    """Load an exported model, and make the application around it. promise: on the share of errors."""
    return make_app(open_answering(exported, threads, promise), batch_size=batch_size, limits=Limits(), hosts=hosts)


def make_app(predictor: AnyPredictor, *, batch_size: int, limits: Limits, hosts: Sequence[str]) -> FastAPI:
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
    page = resources.files("runner.deploy").joinpath("service.html").read_text(encoding="utf-8")
    asks, answers = question_model(predictor.request_fields), answers_model(predictor.answer_fields)
    schema = {"content": {"application/json": {"schema": asks.model_json_schema()}}, "required": True}

    @app.exception_handler(HTTPException)
    async def refuse(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    @app.post("/predict", openapi_extra={"requestBody": schema}, summary="Predict texts", response_model=answers)
    async def predict(request: Request) -> Any:
        question = parse_question(await read_body(request, limits), limits.texts, predictor.request_fields)
        try:
            found = await batcher.ask(question)
        except Busy as error:
            raise HTTPException(503, "busy; ask again in a second", {"Retry-After": "1"}) from error
        return {"model": exported.identity, "answers": found}

    @app.get("/health", summary="State of the server")
    async def health() -> Health:
        return Health(
            status="ok", model=exported.identity, name=exported.name, engine=exported.engine, task=exported.task,
            labels=list(exported.labels), reads=len(exported.columns), max_length=exported.max_length,
            calibration=predictor.calibration.about(),
            asks=[FieldFacts(**asdict(field)) for field in predictor.request_fields],
            answers=[FieldFacts(**asdict(field)) for field in predictor.answer_fields],
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


def question_model(asked: Sequence[fields.Field]) -> type[Question]:
    """The body of a request for a model that is asked with these fields."""
    return WordsQuestion if asked[0].type == "words" else Question


def parse_question(body: bytes, most: int, asked: Sequence[fields.Field]) -> Question:
    """Parse the body of a request for a model that is asked with these fields; HTTPException for a malformed one."""
    try:
        question = question_model(asked).model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            raise HTTPException(400, f"the body is not JSON: {first['ctx']['error']}") from error
        place = ".".join(map(str, first["loc"])) or "body"
        raise HTTPException(422, f'{place}: {first["msg"]}. Expected {{"texts": ["..."]}}') from error
    if len(question.texts) > most:
        raise HTTPException(413, f"{len(question.texts)} texts in one request, at most {most}. Ask in parts")
    is_pair = len(asked) > 1
    if is_pair != (question.pairs is not None) or len(question.texts) != len(question.pairs or question.texts):
        wanted = "as many pairs as texts" if is_pair else "texts without pairs"
        raise HTTPException(422, f"this model reads {wanted}")
    return question


def answer_questions(
    predictor: AnyPredictor, questions: Sequence[Question], batch_size: int
) -> list[list[Answer] | HTTPException]:
    """Predict for several questions at once; a question with a text that is too long gets an exception."""
    texts = [text for question in questions for text in question.texts]
    pairs = [pair for question in questions for pair in question.pairs or ()] or None
    asked = predictor.ask(texts, pairs)
    found, end = predictor.answers(asked, batch_size), 0
    results: list[list[Answer] | HTTPException] = []
    for question in questions:
        mine = slice(end, end + len(question.texts))
        end = mine.stop
        if question.truncate or not asked.is_cut[mine].any():
            results.append(found[mine])
        else:
            lengths, longest = asked.lengths[mine], predictor.exported.max_length
            worst = f"text {int(lengths.argmax()) + 1} has {lengths.max():,} tokens, this model reads {longest}"
            results.append(HTTPException(413, f'{worst}. Shorten it, or send "truncate": true'))
    return results
