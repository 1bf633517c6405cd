"""The page answers as Python does: its reader in node on golden and awkward texts, the whole page in Chromium."""

from __future__ import annotations

import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.packed.elias_fano import encode
from models.packed.format import pack
from runner.deploy.bundle.predict import Model
from runner.deploy.page.make import make_page, write_page
from runner.errors import ConfigError
from tests.conftest import REPO
from tests.models.packed.golden import SCORES, golden_content
from tests.records import a_record, record_json

READER, ASK = REPO / "runner" / "deploy" / "page" / "reader.js", Path(__file__).with_name("ask.js")
NODE, CHROMIUM = shutil.which("node"), shutil.which("chromium") or shutil.which("chromium-browser")
AWKWARD = [
    "", "   ", "ΟΔΟΣ ΣΑΣ", "İstanbul I ı", "日本語 テキスト。", "👩‍👩‍👧 👍🏽", "zero\u200bwidth", "next\x85line",
    "\ufeffmark",
    "a\x1cb\x1fc",
    "ﬁne ﬀ", "x" * 101, "naïve e\u0301", "can't stop—won't", "\ud800 alone", "a_b 12,5% €3", "ǅ ß ẞ", "not not good",
    "١٢٣ ४५", "tab\tand\vform\f", "</script><b>", "ᾳ ΑΙ ὈΔΥΣΣΕΎΣ", "\u2028line\u3000wide",
]  # fmt: skip


def random_model(bits: int, labels: list[str], seed: int = 0, **more: object) -> bytes:
    """A model whose prints are dense enough to be hit by most texts, with a row for each score."""
    rng = np.random.default_rng(seed)
    count = min(2**bits // 2, 40000)
    prints = np.unique(rng.integers(0, 2**bits, count, dtype=np.int64))
    code, outputs = encode(prints, bits), 1 if len(labels) <= 2 else len(labels)
    arrays = {
        "scale": rng.random(outputs).astype(np.float32), "bias": rng.normal(size=outputs).astype(np.float32),
        "high": code.high, "low": code.low, "rows": rng.integers(-127, 128, (outputs, len(prints))).astype(np.int8),
    }  # fmt: skip
    fields = {"grams": 3, "bits": bits, "count": len(prints), "low": code.low_bits, "lower": True}
    return pack("ngram", labels, arrays, fields | {"token": r"\w+|[^\w\s]"} | more, temperature=1.3)


def ask_node(path: Path, texts: list[str]) -> Any:
    assert NODE
    done = subprocess.run(
        [NODE, ASK, READER, path], input=json.dumps(texts), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize(
    ("content", "outputs"),
    [
        (golden_content(), 1),
        (random_model(12, ["a", "b", "c"]), 3),
        (random_model(32, ["no", "yes"]), 1),
        (random_model(8, []), 1),
        (random_model(12, ["a", "b", "c"], mean=True), 3),
        (random_model(12, ["no", "yes"], max_length=2), 1),
    ],
    ids=["golden", "three classes", "32 bits", "a number", "a mean", "long texts cut"],
)
def test_node_answers_as_python_does(tmp_path: Path, content: bytes, outputs: int) -> None:
    (tmp_path / "model.bin").write_bytes(content)
    texts = [*SCORES, *AWKWARD]
    model, found = Model(tmp_path), ask_node(tmp_path / "model.bin", texts)
    scores = model.scores(texts)
    if not model.labels:
        assert np.allclose([answer["value"] for answer in found], scores[:, 0], atol=1e-9, rtol=0)
        return
    assert np.allclose([answer["scores"] for answer in found], scores[:, -outputs:], atol=1e-9, rtol=0)
    assert [answer["label"] for answer in found] == [answer["prediction"] for answer in model(texts)]
    shares = [list(answer["probabilities"].values()) for answer in model(texts)]
    assert np.allclose([answer["shares"] for answer in found], shares, atol=1e-9, rtol=0)


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_the_reasons_add_up_and_lie_where_the_words_are(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(golden_content())
    text = "Good, not good"
    (answer,) = ask_node(tmp_path / "model.bin", [text])
    assert answer["label"] == "neg"
    parts = {part["text"]: part for part in answer["parts"]}
    assert parts["not good"]["adds"] == pytest.approx(3.0) and parts["good"]["adds"] < 0, "good speaks against neg"
    assert [text[start:end] for start, end in parts["good"]["spans"]] == ["Good", "good"]
    assert sum(-part["adds"] for part in answer["parts"]) + 0.125 == pytest.approx(answer["scores"][0])


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (golden_content()[:200], "header"),
        (b"x" + golden_content()[1:], "not a model.bin"),
        (golden_content()[:7] + b"\2" + golden_content()[8:], "format 2"),
        (golden_content()[:-8] + b"\7" * 8, "damaged in rows"),
        (golden_content()[:-1], "639 bytes, its header says 640"),
        (random_model(8, ["a", "b"], texts=2, pairs={"cross": True}), "that has pairs, texts"),
    ],
)
def test_node_refuses_a_damaged_model(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "model.bin").write_bytes(content)
    assert message in ask_node(tmp_path / "model.bin", ["good"])["error"]


class Texts(HTMLParser):
    """The text inside each element that has an id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.inside: str | None = None
        self.found: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = dict(attrs).get("id") or self.inside

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found[self.inside] = self.found.get(self.inside, "") + data


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_the_page_answers_in_a_browser_without_a_network(tmp_path: Path) -> None:
    assert CHROMIUM
    page = tmp_path / "page.html"
    page.write_text(make_page(a_record(name="<b>dsn</b> demo"), golden_content()), encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--virtual-time-budget=5000", "--dump-dom", f"{page.as_uri()}#not%20bad%20%3Cb%3E"]
    html = subprocess.run(command, capture_output=True, text=True, timeout=100).stdout
    shown = Texts(html).found
    assert shown["answer"].strip() == "pos"
    assert "0.5312" in shown["shares"] and "not bad <b>" in shown["marked"], "a text is shown as text, not as HTML"
    assert "not bad" in shown["parts"] and "2.504" in shown["parts"]
    assert "<b>dsn</b>" not in html and "&lt;b&gt;dsn&lt;/b&gt; demo" in html


def test_a_page_asks_for_nothing_from_outside() -> None:
    html = make_page(a_record(), golden_content())
    assert "default-src 'none'" in html
    assert not any(word in html for word in ("http:", "https:", "src=", "href=", "fetch(", "import(")), "no network"
    assert len(html) < 20000, "the page without its model is small"


def test_models_without_a_page_are_refused_with_the_cure() -> None:
    config = record_json()["config"]
    config["data"] |= {"text_pair": "hypothesis"}
    with pytest.raises(ConfigError, match=r"reads two texts.*run serve 0123456789"):
        make_page(a_record(config=config), golden_content())
    with pytest.raises(ConfigError, match="reads two texts"):
        make_page(a_record(), random_model(8, ["a", "b"], texts=2))
    with pytest.raises(ConfigError, match="kind other"):
        make_page(a_record(), pack("other", ["a", "b"], {}))


def test_the_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "model").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"has no model\.bin"):
        write_page(a_record(), folder, None)
    (folder / "model" / "model.bin").write_bytes(golden_content())
    assert write_page(a_record(), folder, None) == folder / "export" / "page.html"
    named = write_page(a_record(), folder, tmp_path / "new" / "demo.html")
    assert named.read_text(encoding="utf-8") == make_page(a_record(), golden_content())
    assert write_page(a_record(), folder, tmp_path) == tmp_path / "page.html"
    with pytest.raises(ConfigError, match=r"Try: out=.*demo\.htm\.html"):
        write_page(a_record(), folder, tmp_path / "demo.htm")
    with pytest.raises(ConfigError, match=r"run 0123456789 has no model\.bin"):
        write_page(a_record(status="killed"), folder, None)
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_page(a_record(), folder, tmp_path / "file" / "page.html")
    assert not list(tmp_path.rglob(".*.part"))
