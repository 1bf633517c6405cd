"""The page answers as Python does: its reader in node on golden and awkward texts, the whole page in Chromium."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.inputs.marked_words import MARKED
from models.packed.elias_fano import encode
from models.packed.format import pack
from runner.deploy.page.make import make_page, write_page
from runner.errors import ConfigError
from runner.record.record import RunRecord
from tests.models.packed.golden import SCORES, golden_content
from tests.records import a_record, record_json
from tests.runner.deploy.page.browser import NEEDS_CHROMIUM, browse
from tests.runner.deploy.page.node import NEEDS_NODE, ask_node, check_answers
from tests.runner.deploy.page.test_shrink import WIDTH, a_model

AWKWARD = [
    "", "   ", "ΟΔΟΣ ΣΑΣ", "İstanbul I ı", "日本語 テキスト。", "👩‍👩‍👧 👍🏽", "zero\u200bwidth", "next\x85line",
    "\ufeffmark",
    "a\x1cb\x1fc",
    "ﬁne ﬀ", "x" * 101, "naïve e\u0301", "can't stop—won't", "\ud800 alone", "a_b 12,5% €3", "ǅ ß ẞ", "not not good",
    "١٢٣ ४५", "हिन्दी में किताबें", "ที่นี่ดี", "می\u200cخواهم", "I ❤\ufe0f it 1\ufe0f\u20e3",
    "\u0301x", "tab\tand\vform\f", "</script><b>", "ᾳ ΑΙ ὈΔΥΣΣΕΎΣ", "\u2028line\u3000wide",
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


@NEEDS_NODE
def test_node_answers_as_python_does(tmp_path: Path) -> None:
    contents = {
        "golden": golden_content(),
        "three classes": random_model(12, ["a", "b", "c"]),
        "32 bits": random_model(32, ["no", "yes"]),
        "a number": random_model(8, []),
        "a mean": random_model(12, ["a", "b", "c"], mean=True),
        "long texts cut": random_model(12, ["no", "yes"], max_length=2),
    }
    rows = [[text] for text in [*SCORES, *AWKWARD]]
    check_answers(tmp_path, [(content, rows) for content in contents.values()], tolerance=1e-9)
    of_characters = [
        random_model(16, ["no", "yes"], characters=[2, 5]),
        random_model(12, ["a", "b", "c"], characters=[1, 1], max_length=2),
        random_model(16, ["no", "yes"], characters=[2, 5], token=MARKED),
    ]
    check_answers(tmp_path, [(content, rows) for content in of_characters], tolerance=1e-9, characters=True)
    sets = {"thresholds": [0.9, 0.2, 0.5]}
    of_sets = [random_model(12, ["a", "b", "c"], **sets, **more) for more in ({}, {"at_least_one": True})]
    found = check_answers(tmp_path, [(content, rows) for content in of_sets], tolerance=1e-9, **sets)
    assert {one["label"] for one in found[0]} > {"", "b, a"} and "" not in {one["label"] for one in found[1]}


@NEEDS_NODE
def test_node_reads_the_n_grams_of_two_texts(tmp_path: Path) -> None:
    words = ["a", "the", "not", "Good", "bad", "film", "dogs", "are", "is", "3", ",", ".", "übel"]
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(words, size)) for size in rng.integers(0, 40, 60)]
    rows = [*zip(texts[:30], texts[30:]), *zip(AWKWARD, reversed(AWKWARD)), ("good", "good")]
    pairs = [{"symmetric": symmetric, "cross": cross} for symmetric in (False, True) for cross in (False, True)]
    contents = [random_model(12, ["a", "b", "c"], texts=2, pairs=options, max_length=21) for options in pairs]
    for found in check_answers(tmp_path, [(one, rows) for one in contents], tolerance=1e-9, pairs=True):
        shared = [(row, part) for row, one in zip(rows, found) for part in one["parts"] if part["about"] == "in both"]
        assert shared and all(
            row[field][start:end].lower() == part["text"] for row, part in shared for start, end, field in part["spans"]
        )


@NEEDS_NODE
def test_the_reasons_add_up_and_lie_where_the_words_are(tmp_path: Path) -> None:
    text = "Good, not good"
    ((answer,),) = ask_node(tmp_path, [(golden_content(), [[text]])])
    assert answer["label"] == "neg"
    parts = {part["text"]: part for part in answer["parts"]}
    assert parts["not good"]["adds"] == pytest.approx(3.0) and parts["good"]["adds"] < 0, "good speaks against neg"
    assert [text[start:end] for start, end in parts["good"]["spans"]] == ["Good", "good"]
    assert sum(-part["adds"] for part in answer["parts"]) + 0.125 == pytest.approx(answer["scores"][0])


@NEEDS_NODE
def test_character_n_grams_lie_inside_their_words(tmp_path: Path) -> None:
    text = "Good 👍🏽 naïve goods"
    ((answer,),) = ask_node(tmp_path, [(random_model(16, ["no", "yes"], characters=[2, 4]), [[text]])], characters=True)
    inside = [part for part in answer["parts"] if "<" in part["text"] or ">" in part["text"]]
    for part in inside:
        wanted = part["text"].strip("<>")
        assert all(text[start:end].lower() == wanted for start, end in part["spans"] if start < 5)
    assert inside


@NEEDS_NODE
def test_words_with_vowel_signs_are_shown_whole(tmp_path: Path) -> None:
    text, word = "में किताबें", "किताबें"
    model = random_model(12, ["no", "yes"], characters=[7, 9], token=MARKED)
    ((answer,),) = ask_node(tmp_path, [(model, [[text]])], characters=True)
    spans = {text[start:end] for part in answer["parts"] for start, end in part["spans"]}
    assert word in spans and "कित" not in spans


@NEEDS_NODE
def test_node_refuses_a_damaged_model(tmp_path: Path) -> None:
    refused = {
        "header": golden_content()[:200],
        "not a model.bin": b"x" + golden_content()[1:],
        "format 2": golden_content()[:7] + b"\2" + golden_content()[8:],
        "damaged in rows": golden_content()[:-8] + b"\7" * 8,
        "639 bytes, its header says 640": golden_content()[:-1],
        "that has pairs, texts": random_model(8, ["a", "b"], texts=2, pairs={"cross": True}),
    }
    found = ask_node(tmp_path, [(content, [["good"]]) for content in refused.values()])
    for message, answer in zip(refused, found):
        assert message in answer["error"]


def browse_page(folder: Path, page: str, asked: str) -> tuple[dict[str, str], str]:
    """The texts by id, and the HTML, that Chromium makes of a page that is asked this."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    return browse(f"{path.as_uri()}#{asked}", folder / "profile")


@NEEDS_CHROMIUM
def test_the_page_answers_in_a_browser_without_a_network(tmp_path: Path) -> None:
    page = make_page(a_record(name="<b>dsn</b> demo"), golden_content())
    shown, html = browse_page(tmp_path, page, "not%20bad%20%3Cb%3E")
    assert shown["answer"].strip() == "pos"
    assert "0.5312" in shown["shares"] and "not bad <b>" in shown["marked"], "a text is shown as text, not as HTML"
    assert "not bad" in shown["parts"] and "2.504" in shown["parts"]
    assert "<b>dsn</b>" not in html and "&lt;b&gt;dsn&lt;/b&gt; demo" in html


@NEEDS_CHROMIUM
def test_a_page_of_two_texts_has_two_boxes_and_shows_any_label_as_text(tmp_path: Path) -> None:
    record = record_json()
    record["config"]["data"] |= {"text_pair": "<hypothesis>"}
    label = "</script><script>document.title='run'</script>" + "long" * 40
    content = a_model("pair", texts=2, head=np.ones((3, 4 * WIDTH), np.float32), labels=[label, "b", "c"])
    shown, html = browse_page(tmp_path, make_page(RunRecord.from_json(record), content), "tab%20%26%20new&שלום")
    ((answer,),) = check_answers(tmp_path, [(content, [["tab & new", "שלום"]])], tolerance=1e-6, kind="pair")
    assert shown["answer"].strip() == answer["label"] and label in shown["shares"]
    assert f"{max(answer['shares']):.4f}" in shown["shares"]
    assert "tab & newשלום" in shown["marked"] and "<hypothesis>" in shown["parts"]
    assert html.count("<textarea") == 2 and "<title>run" not in html


def test_a_page_asks_for_nothing_from_outside() -> None:
    html = make_page(a_record(), golden_content())
    assert "default-src 'none'" in html
    assert not any(word in html for word in ("http:", "https:", "src=", "href=", "fetch(", "import(")), "no network"
    assert len(html) < 22200, "the page without its model is small"


def test_models_without_a_page_are_refused_with_the_cure() -> None:
    with pytest.raises(ConfigError, match=r"kind other, only ngram.*run serve 0123456789"):
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
