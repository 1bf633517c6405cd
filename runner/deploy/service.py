"""Serves a model over HTTP: /predict, /health, /metrics, a page to try it, /openapi.json. The page loads nothing else.

Every error is one line, {"error": ...}: 400 not JSON, 422 not the expected fields, 413 too large or too long,
408 too slow, 503 busy, 500 a mistake of ours. Every answer has an id in its header X-Request-ID, and a line in the log.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from data.inputs import request as fields
from runner.deploy.answer_table import Answer
from runner.deploy.batcher import Batcher, Busy
from runner.deploy.cascade import AskedOfBoth, longest_cut
from runner.deploy.container.monitor import CONTENT_TYPE, Monitor
from runner.deploy.exported import ExportedModel
from runner.deploy.observed import TEXTS, KnownHosts, Observed
from runner.deploy.predictors import AnyPredictor, KeepsTime
from runner.deploy.promise import Promise
from runner.deploy.reasons import find_reasons, method_of
from runner.deploy.rejecting import open_answering, promised
from runner.deploy.service_models import FieldFacts, Health, Question, TimedQuestion, answers_model, question_model
from runner.deploy.service_page import make_page
from runner.errors import USER_ERRORS


@dataclass(frozen=True)
class Limits:
    """The limits on one request and on the queue."""

    texts: int = 256  # in one request
    explained: int = 4  # texts in one request that asks for reasons: with 64 words each, 256 questions to the model
    body: int = 1_000_000  # bytes
    waiting: int = 4096  # texts of all requests
    body_s: float = 30.0  # seconds until the whole body has arrived


TEXT_LIMITS = Limits()
MUST_BE = {  # by the type of an error, as pydantic names it
    "string_type": "a string", "list_type": "a list", "too_short": "a list of at least one",
    "bool_type": "true or false",
}  # fmt: skip
SOUND_LIMITS = Limits(texts=64, body=8_000_000, waiting=64)  # eight seconds of two channels at CD quality are 1.9 MB


def load_app(
    exported: ExportedModel, threads: int, *, batch_size: int, hosts: Sequence[str],
    log: Callable[[str], None] | None = None, promise: Promise | None = None, max_ms: float | None = None,
    tell: Callable[[str], None] | None = None,
) -> Observed:  # fmt: skip
    """Load an exported model, and make the application around it.

    log: called with a line for each request. promise: on the share of errors among answers. max_ms: for each text, of a
    model with searched lengths. tell: called with a sentence on how fast it is then.
    """
    monitor = Monitor({"model": exported.identity, "name": exported.name, "engine": exported.engine})
    predictor = open_answering(exported, threads, promise, max_ms)
    if isinstance(predictor, KeepsTime) and tell:
        tell(predictor.describe())
    limits = SOUND_LIMITS if exported.reads_sounds else TEXT_LIMITS
    app = make_app(predictor, batch_size=batch_size, limits=limits, hosts=hosts, monitor=monitor)
    return Observed(app, monitor, log)


def make_app(
    predictor: AnyPredictor, *, batch_size: int, limits: Limits, hosts: Sequence[str], monitor: Monitor
) -> FastAPI:
    """Return the web application of a loaded model. hosts: the host names that requests may use, ["*"] for any."""
    exported = predictor.exported
    app = FastAPI(title=exported.name, version=exported.identity, docs_url=None, redoc_url=None)
    app.add_middleware(KnownHosts, hosts=hosts)

    def answer(questions: Sequence[Question]) -> list[list[Answer] | HTTPException]:
        monitor.batch(sum(len(question.texts) for question in questions))
        return answer_questions(predictor, questions, batch_size)

    batcher: Batcher[Question, list[Answer]] = Batcher(
        answer, lambda question: len(question.texts), longest_text, batch_size=batch_size, most=limits.waiting
    )
    is_timed = isinstance(predictor, KeepsTime)
    asks = question_model(predictor.request_fields, is_timed=is_timed)
    answers = answers_model(predictor.answer_fields)
    schema = {"content": {"application/json": {"schema": asks.model_json_schema()}}, "required": True}

    @app.exception_handler(HTTPException)
    async def refuse(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def excuse(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": "the server failed; its log says why, next to this request's id"}, 500)

    @app.post(
        "/predict", openapi_extra={"requestBody": schema}, response_model=answers, response_model_exclude_none=True,
        summary=f"Predict {what_is_asked(predictor.request_fields)}",
    )  # fmt: skip
    async def predict(request: Request) -> dict[str, object]:
        question = parse_question(await read_body(request, limits), limits, predictor.request_fields, is_timed)
        request.scope["state"][TEXTS] = len(question.texts)
        try:
            found = await batcher.ask(question)
        except Busy as error:
            raise HTTPException(503, "busy; ask again in a second", {"Retry-After": "1"}) from error
        return {"model": exported.identity, "answers": found}

    @app.get("/health", summary="State of the server")
    async def health() -> Health:
        return health_of(predictor)

    @app.get("/metrics", summary="Counts for Prometheus", response_class=PlainTextResponse)
    async def metrics() -> PlainTextResponse:
        return PlainTextResponse(monitor.text(batcher.waiting), headers={"Content-Type": CONTENT_TYPE})

    page, policy = make_page()

    @app.get("/", include_in_schema=False)
    async def show() -> HTMLResponse:
        return HTMLResponse(page, headers=policy)

    return app


def health_of(predictor: AnyPredictor) -> Health:
    """Return the state of a server with this model."""
    exported, facts = predictor.exported, predictor.calibration.facts
    has_shares = any(field.type == "shares" for field in predictor.answer_fields)
    return Health(
        status="ok", model=exported.identity, name=exported.name, engine=exported.engine, task=exported.task,
        labels=list(exported.labels), reads=len(exported.columns), max_length=exported.max_length,
        asks=[FieldFacts(**asdict(field)) for field in predictor.request_fields],
        answers=[FieldFacts(**asdict(field)) for field in predictor.answer_fields],
        calibrated=predictor.calibration.is_calibrated, explains=method_of(predictor),
        calibration=predictor.calibration.about() if has_shares else "", ece=facts.get("ece"),
        ece_floor_95=facts.get("ece_floor_95"), promise=promised(predictor),
    )  # fmt: skip


async def read_body(request: Request, limits: Limits) -> bytes:
    """Read the body of a request, within the limits on its size and its time."""
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_s):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limits.body:
                    raise HTTPException(413, f"the request has more than {limits.body:,} bytes. Split it up")
    except TimeoutError as error:
        raise HTTPException(408, f"the body took more than {limits.body_s:g} s. Send it at once") from error
    except ClientDisconnect as error:
        raise HTTPException(400, "the body ended early") from error  # nobody receives this: the client has disconnected
    return bytes(body)


def parse_question(body: bytes, limits: Limits, asked: Sequence[fields.Field], is_timed: bool = False) -> Question:
    """Parse the body of a request for a model with these fields; HTTPException for a malformed one."""
    try:
        question = question_model(asked, is_timed=is_timed).model_validate_json(body)
    except ValidationError as error:
        found = error.errors()
        if found[0]["type"] == "json_invalid":
            raise HTTPException(400, f"the body is not JSON: {found[0]['ctx']['error']}") from error
        problem = problem_of([(one["loc"], one["type"], one["msg"]) for one in found])
        raise HTTPException(422, f"{problem}. Expected {body_of(asked)}") from error
    most = limits.explained if question.explain else limits.texts
    if len(question.texts) > most:
        what = 'with "explain"' if question.explain else "in one request"
        raise HTTPException(413, f"{len(question.texts)} {what_is_asked(asked)} {what}, at most {most}. Split it up")
    is_pair = len(asked) > 1
    if is_pair != (question.pairs is not None) or len(question.texts) != len(question.pairs or question.texts):
        wanted = "as many pairs as texts" if is_pair else f"{what_is_asked(asked)} without pairs"
        raise HTTPException(422, f"this model reads {wanted}. Expected {body_of(asked)}")
    return question


def problem_of(found: Sequence[tuple[tuple[int | str, ...], str, str]]) -> str:
    """Return what is wrong with the first wrong field of a body: `texts[0] must be a string`.

    found: the place, kind and message of each error, as the validation reports them. A field of several types has one
    for each type, with the type after its place. The deepest counts: [["a", 1]] would be a list of words except for
    the second.
    """
    wrong = [(field_at(place), kind, message) for place, kind, message in found]
    first = wrong[0][0]
    field = max((one for one, *_ in wrong if one.startswith(first)), key=lambda one: one.count("["))
    kinds = [MUST_BE.get(kind, "") for one, kind, _ in wrong if one == field]
    if all(kinds):
        return f"{field} must be {' or '.join(kinds)}"
    return f"{field}: {next(message for one, _, message in wrong if one == field)}"


def field_at(place: Sequence[int | str]) -> str:
    """Return the name of a place in a body: `texts[0]`, or `body` for all of it."""
    return f"{next(iter(place), 'body')}" + "".join(f"[{part}]" for part in place if isinstance(part, int))


def body_of(asked: Sequence[fields.Field]) -> str:
    """Return the body of a request for a model with these fields, for messages."""
    if what_is_asked(asked) == "sounds":
        return '{"sounds": ["<a file in base64>"]}'
    return '{"texts": ["..."], "pairs": ["..."]}' if len(asked) > 1 else '{"texts": ["..."]}'


def what_is_asked(asked: Sequence[fields.Field]) -> str:
    """Return the word for the questions of a model with these fields."""
    return "sounds" if asked[0].type == "sound" else "texts"


def explained(predictor: AnyPredictor, question: Question, answers: Sequence[Answer]) -> list[Answer]:
    """Return the answers to a question, each with its reasons where there are any."""
    rows = zip(question.texts, question.pairs) if question.pairs else ([text] for text in question.texts)
    limit = limit_of(question)
    found = [find_reasons(predictor, list(row), answer, limit) for row, answer in zip(rows, answers)]
    return [answer | ({"reasons": asdict(reasons)} if reasons else {}) for answer, reasons in zip(answers, found)]


def limits_of(predictor: KeepsTime, questions: Sequence[Question]) -> list[float]:
    """Return the milliseconds that each text of some questions may take."""
    return [limit_of(question) or predictor.max_ms for question in questions for _ in question.texts]


def limit_of(question: Question) -> float | None:
    """Return the milliseconds that a question allows for its answers."""
    return question.max_ms if isinstance(question, TimedQuestion) else None


def too_fast(predictor: KeepsTime, question: Question, tokens: Sequence[int]) -> str:
    """Return why a request's time limit cannot be met for one of its texts, and which limit can.

    "" if it can be met.
    """
    limit, longest = limit_of(question), int(max(tokens))
    least = predictor.least_ms(longest)
    if limit is None or least <= limit:
        return ""
    reachable = float(f"{1.1 * least:.2g}")
    return f"max_ms={limit:g}: a text of {longest} tokens takes at least {least:.3g} ms. Try: max_ms={reachable:g}"


def longest_text(question: Question) -> int:
    """Return the size of the longest text of a question with its second one: characters, of sounds bytes."""
    sizes = [sum(map(len, text)) if isinstance(text, list) else len(text) for text in question.texts]
    seconds = map(len, question.pairs or [""] * len(sizes))
    return max(map(operator.add, sizes, seconds))


def answer_questions(
    predictor: AnyPredictor, questions: Sequence[Question], batch_size: int
) -> list[list[Answer] | HTTPException]:
    """Predict for several questions at once; one with a text that is too long or not a text gets an exception."""
    texts = [text for question in questions for text in question.texts]
    pairs = [pair for question in questions for pair in question.pairs or ()] or None
    try:
        asked = predictor.ask(texts, pairs)
    except USER_ERRORS as error:  # of one question, which the others do not pay for
        if len(questions) == 1:
            return [HTTPException(422, str(error))]
        return [answer_questions(predictor, [question], batch_size)[0] for question in questions]
    tokens: Sequence[int] = ()
    if isinstance(predictor, KeepsTime):
        tokens = predictor.tokens(asked)
        found = predictor.answers_within(asked, limits_of(predictor, questions), batch_size)
    else:
        found = predictor.answers(asked, batch_size)
    end = 0
    results: list[list[Answer] | HTTPException] = []
    for question in questions:
        mine = slice(end, end + len(question.texts))
        end = mine.stop
        problem = too_fast(predictor, question, tokens[mine]) if isinstance(predictor, KeepsTime) else ""
        if problem:
            results.append(HTTPException(422, problem))
        elif question.truncate or not asked.is_cut[mine].any():
            results.append(explained(predictor, question, found[mine]) if question.explain else found[mine])
        else:
            worst = longest_cut(asked.lengths[mine], asked.is_cut[mine])
            what, unit = ("sound", "frames") if predictor.exported.reads_sounds else ("text", "tokens")
            limit = asked.limits[mine][worst] if isinstance(asked, AskedOfBoth) else asked.longest
            has = f"{what} {worst + 1} has {asked.lengths[mine][worst]:,} {unit}"
            read = f"this model reads {limit or predictor.exported.max_length}"
            results.append(HTTPException(413, f'{has}, {read}. Shorten it, or send "truncate": true'))
    return results
