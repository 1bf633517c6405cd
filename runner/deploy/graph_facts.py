"""Finds the facts that a reader without Bertier needs beside a graph: model.json of a bundle, page.json of a page."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from data.inputs.context_windows import longest_question
from data.inputs.offset_pieces import PairFrame
from data.inputs.tokenizer import PieceTokenizer, load_tokenizer, require_pieces
from data.inputs.trimmed import VOCABULARY
from data.inputs.truncation import MIDDLE
from data.inputs.word_pieces import Frame, needs_space
from data.json_types import JsonObject
from models.packed.errors import NotPacked
from models.packed.vocabulary import wordpiece_vocabulary
from runner.deploy.exported import ExportedModel
from runner.errors import ConfigError
from runner.tasks.make import task_of_export

WINDOWS = "windows"  # of facts: how questions and contexts become rows, and rows answers
WORDS = "words"  # of facts: how words become rows, and rows tags of words


def refuse_page(header: JsonObject, identity: str) -> None:
    """Raise ConfigError for a page of a model with a step before its network that is not written in JavaScript.

    header: of its model.bin, or the content of its model.json.
    """
    does = {
        "cleaning": "cleans texts before it reads them (data.clean)",
        "truncate": "reads both ends of long texts (data.truncate)",
    }
    if found := next((said for entry, said in does.items() if entry in header), None):
        raise ConfigError(
            f"format=page: run {identity} {found}, which a page "
            f"does not. Try: run serve {identity}, which has a page of its own, or format=bundle"
        )


def graph_facts(part: Path, exported: ExportedModel, form: str) -> JsonObject:
    """Return the content of model.json for a folder with a graph; its vocab.txt stays if the reader opens that.

    form: of the export, for messages. Raises ConfigError for a page of a model that a page cannot compute.
    """
    task = task_of_export(exported.task, exported.labels, exported.facts)
    facts: JsonObject = {
        "kind": task.reader, "labels": list(exported.labels), "max_length": exported.max_length,
        "texts": len(exported.columns),
    }  # fmt: skip
    facts |= task.reader_facts()
    tokenizer = require_pieces(load_tokenizer(str(part)), f"format={form}")
    facts |= {"cleaning": list(tokenizer.cleaning)} if tokenizer.cleaning else {}
    facts |= {"truncate": MIDDLE} if exported.options.get("truncate") == MIDDLE else {}
    if form == "page":
        refuse_page(facts, exported.identity)
    if tokenizer.bare:
        facts |= {"empty": tokenizer.bare.pad_id, "dropped": tokenizer.bare.dropped}
    elif not tokenizer.backend.encode("").ids:
        facts["empty"] = tokenizer.pad_id
    if WINDOWS in facts:
        facts = with_windows(facts, exported, tokenizer)
    if WORDS in facts:
        facts = with_words(facts, exported, tokenizer)
    with suppress(NotPacked):
        if tokenizer.bare and tokenizer.bare.dropped is not None:
            raise NotPacked("it leaves unknown pieces out of a text")
        vocabulary = wordpiece_vocabulary(json.loads(tokenizer.backend.to_str()))
        ends = {end: vocabulary.settings[end] for end in ("first", "last")}
        ids = {end: None if place is None else int(vocabulary.ids[place]) for end, place in ends.items()}
        facts |= vocabulary.language | {"pieces": vocabulary.settings | ids}
    if form == "page" or WINDOWS in facts or "pieces" not in facts:
        write_tokenizer_json(part, tokenizer)
    return facts


def write_tokenizer_json(part: Path, tokenizer: PieceTokenizer) -> None:
    """Write a tokenizer.json, of twice the bytes, in place of a vocab.txt, for readers that open no other file."""
    if (pieces := part / VOCABULARY).is_file():
        pieces.unlink()
        tokenizer.backend.save(str(part / "tokenizer.json"), pretty=False)


def with_windows(facts: JsonObject, exported: ExportedModel, tokenizer: PieceTokenizer) -> JsonObject:
    """Return the facts of a model that reads contexts in windows, with the layout of the windows.

    `max_length` becomes that of a question, above which it is cut; `tokens` is the length of a window.
    """
    frame = PairFrame.of(tokenizer)
    layout = {
        "tokens": exported.max_length, "overlap": exported.options.get("overlap"), "before": frame.before.tolist(),
        "between": frame.between.tolist(), "after": frame.after.tolist(), "segments": frame.has_segments,
    }  # fmt: skip
    longest = longest_question(exported.max_length, len(frame))
    return facts | {"max_length": longest, WINDOWS: facts[WINDOWS] | layout}


def with_words(facts: JsonObject, exported: ExportedModel, tokenizer: PieceTokenizer) -> JsonObject:
    """Return the facts of a model that tags words, with how these become rows.

    Where long texts are read in windows, `max_length`, above which texts lose their end, is left out.
    """
    frame, options = Frame.of(tokenizer), exported.options
    has_windows = options.get("windows") is not False
    layout = {
        "tokens": exported.max_length, "windows": has_windows, "bare": options.get("language") is not None,
        "before": frame.before.tolist(), "after": frame.after.tolist(), "spaced": needs_space(tokenizer.backend),
    }  # fmt: skip
    kept = {key: value for key, value in facts.items() if key != "max_length" or not has_windows}
    return kept | {WORDS: facts[WORDS] | layout}
