"""The page of a model that tags words: in node the tags of Python, in a browser the text with them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from data.inputs.tokenizer import PieceTokenizer, train_tokenizer
from runner.deploy.bundle import words
from runner.deploy.exported import ExportedModel
from runner.deploy.page.folder import add_page
from runner.deploy.page.words import about_tags, words_of_page
from runner.record.record import DataFacts, RunRecord
from tests.records import record_json
from tests.runner.deploy.bundle.hard_texts import HARD
from tests.runner.deploy.page.browser import NEEDS_CHROMIUM, browse, web_server
from tests.runner.deploy.page.formula import HAS_PACKAGES, Formula, ask_page, units, write_formula
from tests.runner.deploy.page.node import NEEDS_NODE
from tests.runner.deploy.page.test_folder import tokenizer_of
from tests.runner.deploy.tag_runs import CASES, ENTITIES, LONG, MARKS, MAX_LENGTH, TEXTS, byte_pairs

FORMS: dict[str, list[tuple[str, ...]]] = {
    "entities": [ENTITIES], "tags": [("O", "NOUN", "VERB"), ("x", "y")], "unnamed": [("O", "B", "I")],
    "restored": [MARKS, CASES], "nine": [("non", ".", "'", "-"), ("cap", "one", "non")], "capitals": [CASES],
}  # fmt: skip
MORE = [
    "@user #tag C++ AT&T e-mail's 3.14",
    "naïve प्रियंका ﬁne",
    "\ud800 alone",
    "İIıi İZMİR'DE ΟΔΟΣ Σ?",
    "“quoted,” 'ok'",
]
ASKED = [*TEXTS, *MORE, " ".join(HARD), "", "Supercalifragilisticexpialidocious" * 4 + " Ada"]


@cache
def word_pieces() -> PieceTokenizer:
    return train_tokenizer([*HARD, LONG] * 3, 400)


def page_at(
    folder: Path, tags: list[tuple[str, ...]], tokenizer: PieceTokenizer | None = None, **options: Any
) -> dict[str, Any]:
    """Write the page of a tagger whose graph is a formula; the content of page.json. options: of its input."""
    folder.mkdir(exist_ok=True)
    (tokenizer or word_pieces()).save(folder)
    labels = tuple(f"{'second_' * place}{name}" for place, part in enumerate(tags) for name in part)
    further = {"columns": list(map(len, tags))} if len(tags) > 1 else {}
    facts = further | {"language": options.get("language") or ""}
    exported = ExportedModel(folder, "onnx", "0" * 10, "x", "tags", labels, ("tokens",), MAX_LENGTH, "")
    write_formula(folder, len(labels))
    record = record_json()
    record["data"] |= {"task": "tags", "labels": list(labels)}
    add_page(folder, replace(exported, options=options, facts=facts), RunRecord.from_json(record), is_built=False)
    found: dict[str, Any] = json.loads((folder / "page.json").read_text(encoding="utf-8"))
    return found


def check_page(folder: Path, facts: dict[str, Any], asked: list[str], found: list[dict[str, Any]]) -> int:
    """Compare answers to texts with those of a bundle's reader; return how many spans they have."""
    model, count = words.Words(facts, folder), 0
    for text, answer in zip(asked, found, strict=True):
        wanted = model.answer(text)
        columns = [wanted["tags"], *([wanted["second_tags"]] if "second_tags" in wanted else [])]
        assert (answer["prediction"], answer["columns"]) == (wanted["prediction"], columns), text
        spans = [(one["from"], one["to"], one["type"], one["text"]) for one in answer.get("spans", ())]
        if "spans" in wanted:
            places = [[units(text, one[end]) for end in ("start", "end")] for one in wanted["spans"]]
            assert spans == [(*ends, one["type"], one["text"]) for ends, one in zip(places, wanted["spans"])], text
            scores = [one["score"] for one in wanted["spans"]]
            assert [one["score"] for one in answer["spans"]] == pytest.approx(scores, abs=1e-6), text
        count += len(spans)
    return count


@NEEDS_NODE
@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("entities", {}), ("entities", {"windows": False}), ("unnamed", {"language": "en"}), ("tags", {}),
        ("restored", {"language": "tr"}), ("nine", {"language": "az"}), ("capitals", {}),
    ],
)  # fmt: skip
def test_node_tags_words_as_python_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(words, "Graph", Formula)
    facts = page_at(tmp_path, FORMS[form], **options)
    found = ask_page(tmp_path, [[text] for text in ASKED])
    assert (check_page(tmp_path, facts, ASKED, found) > 30) == (facts["words"]["form"] != "restored")
    kinds = {tag for answer in found for column in answer["columns"] for tag in column}
    assert kinds == {name for part in FORMS[form] for name in part}
    assert found[-2]["prediction"] == "" and found[-2]["columns"] == [[]] * len(FORMS[form])


@NEEDS_NODE
@pytest.mark.skipif(not HAS_PACKAGES, reason="needs make page-packages")
@pytest.mark.parametrize("kind", ["byte pairs", "unigrams"])
def test_node_gives_words_the_pieces_of_other_tokenizers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(words, "Graph", Formula)
    tokenizer = byte_pairs() if kind == "byte pairs" else tokenizer_of(kind)
    facts = page_at(tmp_path, FORMS["entities"], tokenizer)
    assert "pieces" not in facts
    asked = [text for text in ASKED if "\ud800" not in text]  # which `tokenizers` takes for no text
    assert check_page(tmp_path, facts, asked, ask_page(tmp_path, [[text] for text in asked])) > 30


@NEEDS_CHROMIUM
def test_a_browser_marks_the_entities_of_a_text_and_lists_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "Graph", Formula)
    facts = page_at(tmp_path / "page", FORMS["entities"])
    text = "Ada \U0001f600 e\u0301te\u0301 met <b>Babbage</b> in İzmir."
    with web_server(tmp_path / "page") as address:
        shown, html = browse(f"{address}/#{quote(text)}", tmp_path / "profile")
    spans = words.Words(facts, tmp_path / "page").answer(text)["spans"]
    assert shown["answer"].strip() == f"{len(spans)} entities" and html.count("<mark") == len(spans) > 1
    ends = [0, *(one["end"] for one in spans)]
    marked = "".join(text[at : one["end"]] + one["type"] for at, one in zip(ends, spans))
    assert shown["found"].strip() == marked + text[ends[-1] :]
    assert shown["spans"].strip() == "".join(f"{one['text']}{one['type']}{one['score']:.4f}" for one in spans)
    assert "Finds PER, LOC in a text, as learnt from" in html


def test_the_page_says_what_its_model_does() -> None:
    columns = {name: list(map(list, tags)) for name, tags in FORMS.items()}
    columns["nine"][1][-1] = "second_non"  # as a record has it, where both labels have that name
    about = {
        name: about_tags(DataFacts("tags", "", {}, labels=list(chain(*parts)), label_columns=list(map(len, parts))))
        for name, parts in columns.items()
    }
    entities = {"entities": "Finds PER, LOC in a text", "unnamed": "Finds entities in a text"}
    tags = {"tags": "Tags the words of a text with O, NOUN, VERB"}
    assert about == dict.fromkeys(FORMS, "Writes a text with its marks and capitals") | entities | tags


def test_tags_say_what_the_page_shows() -> None:
    shown = {name: words_of_page({"tags": list(map(list, tags)), "language": ""}) for name, tags in FORMS.items()}
    forms = {"entities": "entities", "unnamed": "entities", "tags": "tags"}
    assert {name: found["form"] for name, found in shown.items()} == dict.fromkeys(FORMS, "restored") | forms
    columns = {name: (found["marks"], found["cases"]) for name, found in shown.items()}
    assert columns["restored"] == columns["nine"] == (0, 1) and columns["capitals"] == (None, 0)
    assert all(set(found["first"]) == {"CAP", "one"} and found["written"]["COMMA"] == "," for found in shown.values())
