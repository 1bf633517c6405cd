"""The page of an encoder: its folder, its packages and, where npm has fetched those, its answers in node."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from data.inputs.tokenizer import PieceTokenizer, train_tokenizer, wrap_backend
from runner.commands.export import main
from runner.deploy import graphs
from runner.deploy.bundle import windows
from runner.deploy.exported import ExportedModel
from runner.deploy.page import folder as page_folder
from runner.deploy.page.folder import add_page, build, layouts_of
from runner.errors import ConfigError
from tests.conftest import REPO
from tests.records import a_record
from tests.runner.deploy.bundle.hard_texts import HARD
from tests.runner.deploy.bundle.test_encoder import write_sums
from tests.runner.deploy.page.node import NODE
from tests.runner.deploy.span_runs import HARD_ROWS

PACKAGES = REPO / "build" / "page"  # `make page-packages` writes it
ASK, ASK_WINDOWS = (Path(__file__).with_name(f"ask_{kind}.mjs") for kind in ("encoder", "windows"))
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
        return train_tokenizer(lambda: [*HARD, *HARD], 600)
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


def test_a_model_that_answers_every_word_has_no_page(tmp_path: Path) -> None:
    tokenizer_of("wordpiece").save(tmp_path)
    tags = ExportedModel(tmp_path, "onnx", "0" * 10, "x", "tags", ("a", "b"), ("tokens",), 24, "")
    with pytest.raises(ConfigError, match="format=page: run 0000000000 answers for every word"):
        add_page(tmp_path, tags, a_record(), is_built=False)


@pytest.mark.skipif(NODE is None or not (PACKAGES / "node_modules").is_dir(), reason="needs node, make page-packages")
@pytest.mark.parametrize("kind", ["wordpiece", "byte pairs", "unigrams"])
def test_node_reads_the_pieces_that_training_reads(tmp_path: Path, kind: str) -> None:
    tokenizer = tokenizer_of(kind)
    tokenizer.save(tmp_path)
    write_sums(tmp_path / "model.onnx")
    add_page(tmp_path, exported_at(tmp_path), a_record(), is_built=False)
    texts = [*HARD, "", " ".join(HARD)]
    rows = list(zip(texts, reversed(texts)))
    done = subprocess.run(
        [str(shutil.which("node")), ASK, tmp_path, PACKAGES], input=json.dumps(rows), capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    for (text, pair), answer in zip(rows, json.loads(done.stdout), strict=True):
        row = tokenizer.encode([text], [pair], 24)
        count = len(row.tokens)
        assert answer["scores"] == [row.tokens.sum(), count, count - int(row.segment_starts[0])], (text, pair)


class Formula:
    """The graph of ask_windows.mjs."""

    def __init__(self, folder: Path) -> None:
        """folder: of the model, whose graph is not read."""

    def run(self, row: list[int], start: int) -> np.ndarray:
        places = np.arange(len(row))
        known = np.array(row) * 7919 + places * 31 + (places >= start) * 13
        return np.asarray((known[:, None] + np.array([0, 57])) % 101 / 32, np.float32)


@pytest.mark.skipif(NODE is None, reason="needs node")
@pytest.mark.parametrize(
    "rules", [{}, {"has_empty": True, "null_threshold": -1.5, "max_answer": 2, "overlap": 5}], ids=["answered", "v2"]
)
def test_node_answers_questions_as_python_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: dict[str, Any]
) -> None:
    tokenizer_of("wordpiece").save(tmp_path)
    (tmp_path / "model.onnx").touch()
    options = {"overlap": rules.pop("overlap", None)}
    exported = replace(exported_at(tmp_path), task="span", labels=("start", "end"), options=options, facts=rules)
    add_page(tmp_path, exported, a_record(), is_built=False)
    facts = json.loads((tmp_path / "page.json").read_text())
    monkeypatch.setattr(windows, "Graph", Formula)
    model = windows.Windows(facts, tmp_path)
    done = subprocess.run(
        [str(NODE), str(ASK_WINDOWS), str(tmp_path)], input=json.dumps(HARD_ROWS), capture_output=True, text=True,
        check=True, timeout=60,
    )  # fmt: skip
    answers = json.loads(done.stdout)
    assert {answer["span"] is None for answer in answers} == {True, False}
    for row, answer in zip(HARD_ROWS, answers, strict=True):
        wanted = model.answer(*row)
        places = [[span["start"], span["end"]] for span in wanted["spans"]]
        assert (answer["prediction"], [answer["span"]] if answer["span"] else []) == (wanted["prediction"], places), row
        assert answer["score"] == pytest.approx(wanted["score"], abs=1e-12)


def test_a_page_of_spans_needs_the_places_of_pieces(tmp_path: Path) -> None:
    tokenizer_of("byte pairs").save(tmp_path)
    exported = replace(exported_at(tmp_path), task="span", labels=("start", "end"))
    with pytest.raises(ConfigError, match=r"for tokenizers like BERT's alone\. Try: run serve 0000000000"):
        add_page(tmp_path, exported, a_record(), is_built=False)
