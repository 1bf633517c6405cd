"""Makes the page: the model, its reader and what shows the answers in one HTML file.

The files beside this one are its parts: page.html with the places `$title`, `$about`, `$facts`, `$model`, `$reader` and
`$page`; reader.js, which reads a model.bin; page.js, which shows the answers.
"""

from __future__ import annotations

import base64
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

from models.packed.format import NAME
from runner.deploy.bundle.predict import Header, read_model
from runner.errors import ConfigError
from runner.record.record import RunRecord

KINDS = ("ngram",)  # of model.bin that reader.js reads


def write_page(record: RunRecord, run_folder: Path, out: Path | None) -> Path:
    """Write the page of a finished run, completely or not at all, and return its path.

    out: the file, or a folder to write page.html into; by default below the run folder. An earlier page is replaced.
    Raises ConfigError for a run without a model that a page can read, and for a file of another kind in that place.
    """
    model = run_folder / "model" / NAME
    if record.status != "done" or not model.is_file():
        raise ConfigError(
            f"format=page: run {record.identity} has no {NAME}: only finished models of words and n-grams have one. "
            f"Try: run serve {record.identity}, which has a page of its own"
        )
    html = make_page(record, model.read_bytes())
    path = (out or run_folder / "export" / "page.html").expanduser().absolute()
    path = path / "page.html" if path.is_dir() else path
    if path.suffix != ".html":
        raise ConfigError(f"out={path}: is neither a folder nor a name that ends in .html. Try: out={path}.html")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_text(html, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise ConfigError(f"out={path}: cannot be written: {error.strerror}. Try: another out=") from error
    return path


def make_page(record: RunRecord, model: bytes) -> str:
    """The HTML of a run's page. model: the content of its model.bin.

    Raises ConfigError for a model that the page cannot answer with.
    """
    header, _ = read_model(model, record.identity)
    if problem := _problem(header, record):
        raise ConfigError(f"format=page: {problem}. Try: run serve {record.identity}, which has a page of its own")
    files = resources.files("runner.deploy.page")
    reader, page, frame = (files.joinpath(name).read_text("utf-8") for name in ("reader.js", "page.js", "page.html"))
    return Template(frame).substitute(
        title=escape(record.name),
        about=escape(_about(record)),
        facts=escape(_facts(record, len(model))),
        model=base64.b64encode(model).decode("ascii"),
        reader=reader,
        page=page,
    )


def _problem(header: Header, record: RunRecord) -> str:
    """Why there is no page for this model; "" where there is one."""
    form = header["kind"]
    if header.get("texts", 1) > 1 or record.setting("data.text_pair"):
        return f"run {record.identity} reads two texts, and a page has one"
    return "" if form in KINDS else f"a page cannot read a model of the kind {form}, only {', '.join(KINDS)}"


def _about(record: RunRecord) -> str:
    """One sentence on what the model answers."""
    if not record.data.labels:
        return f"Gives a text a number ({record.setting('data.label', 'the label')}), as learnt from {record.dataset}."
    return f"Tells {', '.join(record.data.labels)} apart, as learnt from {record.dataset}."


def _facts(record: RunRecord, size: int) -> str:
    """The run, its score with its interval, and the size of the model."""
    primary, metrics = record.data.primary, record.metrics
    score = f"{primary} {record.headline:.4f}" if record.headline is not None else ""
    if f"{primary}_low" in metrics:
        score += f" [{metrics[f'{primary}_low']:.4f}, {metrics[f'{primary}_high']:.4f}]"
    return f"Run {record.identity}: {score}; the model has {size / 1000:,.1f} kB. Made with Bertier."
