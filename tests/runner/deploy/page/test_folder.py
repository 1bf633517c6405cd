"""The page of an encoder: its folder, its packages and, where npm has fetched those, its answers in node."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from data.inputs.added_tokens import with_added
from data.inputs.tokenizer import PieceTokenizer, train_tokenizer, wrap_backend
from runner.commands.export import main
from runner.deploy import graphs
from runner.deploy.bundle import encoder, windows
from runner.deploy.bundle.passages import Passages
from runner.deploy.exported import ExportedModel, model_of_run
from runner.deploy.page import folder as page_folder
from runner.deploy.page.folder import add_page, build, layouts_of
from runner.deploy.predictor import Predictor
from runner.errors import ConfigError
from runner.record.record import RunRecord
from tests.records import a_record, record_json
from tests.runner.deploy.bundle.hard_texts import HARD
from tests.runner.deploy.bundle.test_encoder import write_sums
from tests.runner.deploy.page.browser import NEEDS_CHROMIUM, browse, web_server
from tests.runner.deploy.page.formula import HAS_PACKAGES, PACKAGES, Formula, ask_page, units, write_formula
from tests.runner.deploy.page.node import NEEDS_NODE
from tests.runner.deploy.span_runs import HARD_ROWS, LONG, bundle_of, write_span_run

NAMES = {"unk_token": "<unk>", "pad_token": "<pad>"}


def byte_pairs() -> Tokenizer:
    """A byte-level tokenizer with RoBERTa's special tokens."""
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>", "</s>", "<unk>", "<pad>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    made.train_from_iterator(HARD, trainer)
    made.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0), trim_offsets=False)
    return made


def unigrams() -> Tokenizer:
    """A tokenizer like SentencePiece's."""
    made = Tokenizer(models.Unigram())
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=["<unk>", "<pad>"], unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator(HARD * 3, trainer)
    return made


def tokenizer_of(kind: str) -> PieceTokenizer:
    if kind == "wordpiece":
        return train_tokenizer([*HARD, *HARD], 600)
    if kind == "byte pairs":
        return wrap_backend(byte_pairs(), "test", NAMES)
    return wrap_backend(unigrams(), "test", NAMES, {"drops_unknown": True})


def exported_at(folder: Path, columns: int = 2) -> ExportedModel:
    texts = ("text", "hypothesis")[:columns]
    return ExportedModel(folder, "onnx", "0" * 10, "x", "classification", ("a", "b", "c"), texts, 24, "")


def test_a_folder_has_all_that_the_page_loads(
    output: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(graphs, "write_graph", lambda trained, exported, record: write_sums(exported.weights))
    out = tmp_path / "page"
    assert main(["aaaa", "format=page", f"out={out}", f"paths.output={output}"]) == 0
    said = capsys.readouterr().out
    assert "a folder for a web server" in said and f"(cd {out} && npm ci) && python -m http.server -d {out}" in said
    names = {path.name for path in out.iterdir()}
    assert names >= {
        "index.html",
        "reader.mjs",
        "page.json",
        "model.onnx",
        "tokenizer.json",
        "README.md",
        "deploy.json",
    }
    html = (out / "index.html").read_text()
    assert "connect-src 'self'" in html and 'type="module"' in html and "http:" not in html and "https:" not in html
    facts = json.loads((out / "page.json").read_text())
    assert facts["labels"] == ["negative", "positive"] and facts["pieces"]["lower"] and "layouts" not in facts
    with pytest.raises(ConfigError, match=r"is a folder\. Try: out=.*new$"):
        main(["aaaa", "format=page", f"out={tmp_path / 'new.html'}", f"paths.output={output}"])
    for wrong, message in (("format=onnx", "nothing to build"), ("build=maybe", "expected true or false")):
        with pytest.raises(ConfigError, match=message):
            main(["aaaa", "build=true", wrong, f"paths.output={output}"])


def test_the_packages_are_pinned_and_name_no_host() -> None:
    wanted = json.loads((Path(page_folder.__file__).with_name("package.json")).read_text())["dependencies"]
    text = Path(page_folder.__file__).with_name("package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert packages[""]["dependencies"] == wanted and all(version[0].isdecimal() for version in wanted.values())
    assert all("integrity" in package for name, package in packages.items() if name)
    assert "resolved" not in text and "http" not in text


def test_special_tokens_stand_where_the_tokenizer_puts_them() -> None:
    roberta = [[[0, 0], ["A", 0], [1, 0]], [[0, 0], ["A", 0], [1, 0], [1, 0], ["B", 0], [1, 0]]]
    assert layouts_of(byte_pairs()) == roberta
    assert layouts_of(tokenizer_of("unigrams").backend) == [[["A", 0]], [["A", 0], ["B", 1]]]


def test_npm_that_is_missing_or_fails_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"npm cannot be started.*leave build= out"):
        monkeypatch.setattr(page_folder, "NPM", ("no-such-program",))
        build(tmp_path)
    with pytest.raises(ConfigError, match="npm ci failed: E1"):
        monkeypatch.setattr(page_folder, "NPM", ("sh", "-c", "echo E1 >&2; echo more >&2; exit 1"))
        build(tmp_path)
    monkeypatch.setattr(page_folder, "NPM", ("sh", "-c", "mkdir lib node_modules"))
    build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["lib"]


@NEEDS_NODE
@pytest.mark.skipif(not HAS_PACKAGES, reason="needs make page-packages")
@pytest.mark.parametrize("kind", ["wordpiece", "byte pairs", "unigrams"])
def test_node_reads_the_pieces_that_training_reads(tmp_path: Path, kind: str) -> None:
    tokenizer = with_added(tokenizer_of(kind), ["[NAME]"])
    tokenizer.save(tmp_path)
    write_sums(tmp_path / "model.onnx")
    add_page(tmp_path, exported_at(tmp_path), a_record(), is_built=False)
    texts = [*HARD, "", " ".join(HARD), "x [NAME]'s[NAME] [name]"]
    rows = list(zip(texts, reversed(texts)))
    for (text, pair), answer in zip(rows, ask_page(tmp_path, rows, runtime=None), strict=True):
        row = tokenizer.encode([text], [pair], 24)
        count = len(row.tokens)
        assert answer["scores"] == [row.tokens.sum(), count, count - int(row.segment_starts[0])], (text, pair)


def span_page(folder: Path, overlap: int | None = None, **rules: Any) -> dict[str, Any]:
    """Write the page of a model of spans whose graph is a formula; the content of page.json. rules: of its task."""
    folder.mkdir(exist_ok=True)
    tokenizer_of("wordpiece").save(folder)
    write_formula(folder, 2)
    exported = replace(exported_at(folder), task="span", labels=("start", "end"), options={"overlap": overlap})
    record = record_json()
    record["data"] |= {"task": "span"}
    record["config"]["data"] |= {"question": "question", "context": "context"}
    add_page(folder, replace(exported, facts=rules), RunRecord.from_json(record), is_built=False)
    found: dict[str, Any] = json.loads((folder / "page.json").read_text())
    return found


@NEEDS_NODE
@pytest.mark.parametrize("way", ["max", "mean", "first"])
def test_node_scores_documents_as_python_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    class First(Formula):
        def run(self, row: list[int], start: int) -> np.ndarray:
            return np.asarray(super().run(row, start)[0])

    monkeypatch.setattr(encoder, "Graph", First)
    tokenizer_of("wordpiece").save(tmp_path)
    write_formula(tmp_path, 1)
    ranker = replace(exported_at(tmp_path), task="rank", labels=(), facts={"passages": way})
    add_page(tmp_path, ranker, a_record(), is_built=False)
    facts = json.loads((tmp_path / "page.json").read_text())
    model = Passages(encoder.Encoder(facts, tmp_path), way)
    rows = [(one, other) for one in (*HARD[::9], " ".join(HARD)) for other in (*HARD[::4], " ".join(HARD))]
    for row, answer in zip(rows, ask_page(tmp_path, rows), strict=True):
        assert answer["value"] == pytest.approx(model.score(*row)[0], abs=1e-6), row


RULES = [{}, {"has_empty": True, "null_threshold": -1.5, "max_answer": 2, "overlap": 5}]


@NEEDS_NODE
@pytest.mark.parametrize("rules", RULES, ids=["answered", "v2"])
def test_node_answers_questions_as_python_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: dict[str, Any]
) -> None:
    monkeypatch.setattr(windows, "Graph", Formula)
    model, answers = windows.Windows(span_page(tmp_path, **rules), tmp_path), ask_page(tmp_path, HARD_ROWS)
    assert {bool(answer["spans"]) for answer in answers} == {True, False}
    for row, answer in zip(HARD_ROWS, answers, strict=True):
        wanted = model.answer(*row)
        places = [[units(row[1], span[end]) for end in ("start", "end")] for span in wanted["spans"]]
        found = [[span["from"], span["to"]] for span in answer["spans"]]
        assert (answer["prediction"], found) == (wanted["prediction"], places), row
        assert answer["score"] == pytest.approx(wanted["score"], abs=1e-12)


@NEEDS_CHROMIUM
def test_a_browser_marks_the_answer_to_a_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "Graph", Formula)
    folder, context = tmp_path / "page", f"<i>\U0001f600</i> {LONG} e\u0301te\u0301"
    question, model = "where is it ?", windows.Windows(span_page(folder), folder)
    wanted = model.answer(question, context)
    with web_server(folder) as address:
        shown, html = browse(f"{address}/#{quote(question)}&{quote(context)}", tmp_path / "profile")
    assert shown["answer"].strip() == wanted["prediction"] and html.count("<textarea") == 2
    assert f"score {wanted['score']:.4f}" in shown["sure"] and shown["found"].strip() == context
    ((start, end),) = [(span["start"], span["end"]) for span in wanted["spans"]]
    before, found = escape(context[:start], quote=False), escape(context[start:end], quote=False)
    assert f'{before}<mark dir="auto">{found}</mark>' in html


@NEEDS_CHROMIUM
@pytest.mark.skipif(not HAS_PACKAGES, reason="needs make page-packages")
def test_a_browser_runs_the_graph(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    record, question = write_span_run(tmp_path, "ssss"), "which day ?"
    folder = bundle_of(record, tmp_path / "ssss", "page")
    shutil.copytree(PACKAGES / "lib", folder / "lib")
    (wanted,) = Predictor(model_of_run(record, tmp_path / "ssss"))([question], [LONG])
    with web_server(folder) as address:
        shown, _ = browse(f"{address}/#{quote(question)}&{quote(LONG)}", tmp_path / "profile")
    assert shown["answer"].strip() == wanted["prediction"] != ""
    assert float(shown["sure"].split()[1].rstrip(",")) == pytest.approx(wanted["score"], abs=1e-4)


def test_a_page_of_spans_needs_the_places_of_pieces(tmp_path: Path) -> None:
    tokenizer_of("byte pairs").save(tmp_path)
    exported = replace(exported_at(tmp_path), task="span", labels=("start", "end"))
    with pytest.raises(ConfigError, match=r"only for tokenizers like BERT's\. Try: run serve 0000000000"):
        add_page(tmp_path, exported, a_record(), is_built=False)
