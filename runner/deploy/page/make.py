"""Makes the page: the model, its reader and the code that shows the answers, in one HTML file.

Its parts are the files beside this one: page.html with placeholders like `$title`; reader.js, which reads models of
n-grams, wordpiece.js, passages.js, bag.js, pair.js and dendritic.js, which read the others; page.js, which shows the
answers.
"""

from __future__ import annotations

import base64
import json
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from data.inputs.questions import INPUTS
from data.json_types import JsonObject
from data.part_file import written_whole
from data.quoting import listed
from models.packed.format import NAME
from runner.deploy.bundle.calibration import PROMISE, Calibration, read_calibration
from runner.deploy.bundle.label_sets import THRESHOLDS
from runner.deploy.bundle.predict import Header, read_model
from runner.deploy.bundle.rejection import WORDS as OF_PROMISE
from runner.deploy.graph_facts import WINDOWS, WORDS, refuse_page
from runner.deploy.page.shrink import shrunk
from runner.deploy.page.words import about_tags
from runner.deploy.promise import Promise, facts_with
from runner.errors import ConfigError
from runner.record.record import RunRecord
from runner.tasks import task_class

BASE = ("calibration.js", "reader.js")
WITH_PIECES = (*BASE, "wordpiece.js", "passages.js", "bag.js")
READERS = {  # by the kind of a model.bin
    "ngram": BASE, "dsn": WITH_PIECES, "static": WITH_PIECES, "pair": (*WITH_PIECES, "pair.js"),
    "dendritic": (*WITH_PIECES, "dendritic.js"),
}  # fmt: skip
OF_PAIRS = ("ngram_pairs.js",)  # of n-grams, where the header has `pairs` or `ngrams`
OF_SETS = ("label_sets.js",)  # of labels that are decided one by one
OF_CHARACTERS = ("characters.js",)  # of n-grams, where the header has `characters`
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
MODEL = '<script type="application/octet-stream" id="model">{}</script>'
BOX = '<textarea{} aria-label="{}" placeholder="Type or paste a text" dir="auto" disabled></textarea>'
OPEN_MODEL = """
function openModel() {
  const coded = document.getElementById("model").textContent.trim();
  return Model.open(Uint8Array.from(atob(coded), letter => letter.charCodeAt(0)), CALIBRATION);
}
"""


def write_page(record: RunRecord, run_folder: Path, out: Path | None, promise: Promise | None = None) -> Path:
    """Write the page of a finished run, completely or not at all, and return its path.

    out: the file, or a folder to write page.html into; by default below the run folder. An earlier page is replaced.
    promise: on the share of errors, which the page keeps.
    Raises ConfigError for a run without a model that a page can read, and if a file of another kind is in that place.
    """
    model = run_folder / "model" / NAME
    if record.status != "done" or not model.is_file():
        raise ConfigError(
            f"format=page: run {record.identity} has no {NAME}: only finished models of words and n-grams have one. "
            f"Try: run serve {record.identity}, which has a page of its own"
        )
    calibration = read_calibration(model)
    if promise:
        calibration = Calibration(facts_with(calibration.facts, promise, model))
    html = make_page(record, model.read_bytes(), calibration)
    path = (out or run_folder / "export" / "page.html").expanduser().absolute()
    path = path / "page.html" if path.is_dir() else path
    if path.suffix != ".html":
        raise ConfigError(f"out={path}: is neither a folder nor a name that ends in .html. Try: out={path}.html")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as part:
            part.write_text(html, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"out={path}: cannot be written: {error.strerror}. Try: another out=") from error
    return path


def make_page(record: RunRecord, model: bytes, calibration: Calibration | None = None) -> str:
    """Return the HTML of a run's page. model: the content of its model.bin; calibration: of that file, if there is one.

    Raises ConfigError for a model that the page cannot answer with.
    """
    header, _ = read_model(model, record.identity)
    if header["kind"] not in READERS:
        raise ConfigError(
            f"format=page: a page cannot read a model of the kind {header['kind']}, only {', '.join(READERS)}. "
            f"Try: run serve {record.identity}, which has a page of its own"
        )
    refuse_page(header, record.identity)
    calibration = calibration or Calibration()
    of_promises = [source("rejection.js")] if PROMISE in calibration.facts else []
    return filled(
        record,
        facts=facts_of(record, len(model)) + promise_words(calibration.facts),
        code="\n".join(
            [reader_code(header), *of_promises, source("page.js"), calibration_code(calibration), OPEN_MODEL]
        ),
        model=MODEL.format(base64.b64encode(shrunk(model, record.identity)).decode("ascii")),
    )


def filled(
    record: RunRecord, *, facts: str, code: str, model: str = "", policy: str = POLICY, offline: bool = True
) -> str:
    """Return the HTML of a page for the questions of a run. facts: a sentence on its model; code, model: scripts."""
    return Template(source("page.html")).substitute(
        title=escape(record.name),
        about=escape(_about(record)),
        fields=_fields(INPUTS[task_class(record.data.task).input].columns_of(record.setting)),
        facts=escape(facts),
        offline="; it works without a network" if offline else "",
        policy=policy,
        type="" if offline else ' type="module"',
        model=model,
        code=code,
    )


def reader_code(header: Header) -> str:
    """Return the JavaScript that reads a model.bin with this header, for a page or for node."""
    of_pairs = OF_PAIRS if header.get("pairs") or "ngrams" in header else ()
    of_characters = OF_CHARACTERS if "characters" in header else ()
    of_sets = OF_SETS if THRESHOLDS in header else ()
    return "\n".join(map(source, (*READERS[header["kind"]], *of_pairs, *of_characters, *of_sets)))


def calibration_code(calibration: Calibration) -> str:
    """Return the JavaScript that defines how scores become probabilities; no text in it can end the script."""
    facts = {name: value for name, value in calibration.facts.items() if name != "of"}
    content = json.dumps(facts or ({"reason": calibration.problem} if calibration.problem else {}))
    return "const CALIBRATION = " + content.replace("<", "\\u003c") + ";"


def promise_words(facts: JsonObject) -> str:
    """Return the sentences of a promise in the content of calibration.json, with a space before each.

    Returns "" if there is no promise.
    """
    return "".join(f" {said[0].upper()}{said[1:]}." for said in facts.get(PROMISE, {}).get(OF_PROMISE, ()))


def source(name: str) -> str:
    """Return the content of a file beside this one."""
    return resources.files("runner.deploy.page").joinpath(name).read_text("utf-8")


def _fields(columns: tuple[str, ...]) -> str:
    """Return a box for the text, or one for each of two texts under its name."""
    if len(columns) == 1:
        return BOX.format(" autofocus", "text")
    return "\n".join(f"<label>{escape(name)}{BOX.format('', escape(name))}</label>" for name in columns)


def _about(record: RunRecord) -> str:
    """Return one sentence on what the model answers."""
    if task_class(record.data.task).reader == WINDOWS:
        return f"Answers a question with a part of a text, as learnt from {record.dataset}."
    if task_class(record.data.task).reader == WORDS:
        return f"{about_tags(record.data)}, as learnt from {record.dataset}."
    if not record.data.labels:
        texts = "two texts" if record.setting("data.text_pair") else "a text"
        return f"Gives {texts} a number ({record.setting('data.label', 'the label')}), as learnt from {record.dataset}."
    if task_class(record.data.task).has_label_sets:
        labels = listed(record.data.labels)
        return f"Answers with those of {labels} that a text has, as learnt from {record.dataset}."
    return f"Tells {listed(record.data.labels)} apart, as learnt from {record.dataset}."


def facts_of(record: RunRecord, size: int) -> str:
    """Return the run, its score with its interval, and the size of the model."""
    primary, metrics = record.data.primary, record.metrics
    score = f"{primary} {record.headline:.4f}" if record.headline is not None else ""
    if f"{primary}_low" in metrics:
        score += f" [{metrics[f'{primary}_low']:.4f}, {metrics[f'{primary}_high']:.4f}]"
    return f"Run {record.identity}: {score}; the model has {size / 1000:,.1f} kB. Made with Bertier."
