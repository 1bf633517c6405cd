"""Models with word pieces as a page holds them: fewer bytes, and in node the answers of Python."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.normalizers import BertNormalizer

from data.inputs.added_tokens import with_added
from data.inputs.tokenizer import train_tokenizer, wrap_backend
from models.ngrams.pairs import PairOptions
from models.packed.fold import pack_bits
from models.packed.format import pack
from models.packed.vocabulary import wordpiece_vocabulary
from runner.deploy.bundle.predict import read_model
from runner.deploy.page.shrink import front_coded, shrunk
from tests.models.packed import test_fold, test_layers, test_pair
from tests.models.packed.golden import golden_content
from tests.runner.deploy.bundle.hard_texts import HARD
from tests.runner.deploy.page.node import NEEDS_NODE, ask_node, check_answers

TEXTS = [*HARD, " ".join(HARD), *(f"{one}x{other}" for one, other in pairwise(HARD)), "go\ud800od", " " * 900 + "end"]
ROWS = [[text] for text in TEXTS]
PAIRS = [*zip(TEXTS, reversed(TEXTS)), (" ".join(HARD), " ".join(HARD) + " a")]
LONGEST, WIDTH = 40, 8


@cache
def backend() -> Tokenizer:
    """A vocabulary of the hard texts."""
    return train_tokenizer([*HARD, *HARD], 600).backend


def a_model(
    kind: str = "dsn",
    labels: Sequence[str] = "abc",
    size: int = WIDTH,
    normalizer: dict[str, bool] | None = None,
    added: Sequence[str] = (),
    **more: Any,
) -> bytes:
    """A model with random numbers; more: fields of the header, and arrays in place of the usual ones."""
    copy = Tokenizer.from_str(backend().to_str())
    copy.normalizer = BertNormalizer(**(normalizer or {}))
    copy = with_added(wrap_backend(copy, "test"), added).backend
    vocabulary, rng = wordpiece_vocabulary(json.loads(copy.to_str())), np.random.default_rng(0)
    outputs = len(labels) if len(labels) > 2 else 1
    shapes = {"words": (len(vocabulary.pieces), size), "places": (LONGEST, size), "segments": (2, size)}
    shapes |= {"bias": (outputs,), "shift": (outputs,)}
    arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    arrays |= {name: more.pop(name) for name in list(more) if isinstance(more[name], np.ndarray)}
    fields = {"power": 1.0, "max_length": LONGEST, "pieces": vocabulary.settings} | more
    return pack(kind, list(labels), arrays | {"pieces": vocabulary.array()}, fields, temperature=1.5)


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


def codes(bits: int, columns: int, zeros: int) -> dict[str, Any]:
    """A table in codes; columns, zeros: of its steps and its zeros."""
    rng, rows = np.random.default_rng(bits), len(wordpiece_vocabulary(json.loads(backend().to_str())).pieces)
    found = rng.integers(0, 2**bits, (rows, WIDTH)).astype(np.uint8)
    packed = {} if bits == 8 else {"bits": bits, "width": WIDTH}
    group = {"group": WIDTH // columns} if columns > 1 else {}
    step = rng.random((rows, columns)).astype(np.float32) / 2**bits
    zero = rng.integers(0, 2**bits, (rows if zeros > 1 else 1, max(zeros, 1))).astype(np.uint8)
    return {"words": found if bits == 8 else pack_bits(found, bits), "step": step, "zero": zero} | packed | group


@NEEDS_NODE
def test_hard_texts_have_pythons_pieces(tmp_path: Path) -> None:
    normalizers: list[dict[str, bool]] = [
        {}, {"lowercase": False}, {"strip_accents": False}, {"lowercase": False, "strip_accents": True},
        {"handle_chinese_chars": False},
    ]  # fmt: skip
    models = [(a_model(size=3, normalizer=options, power=0.5), ROWS) for options in normalizers]
    for found in check_answers(tmp_path, models, tolerance=1e-6, kind="dsn"):
        for text, answer in zip(TEXTS, found):
            units = text.encode("utf-16-le", "surrogatepass")  # JavaScript counts two for some letters
            for part in answer["parts"]:
                ((start, end),) = part["spans"]
                assert units[2 * start : 2 * end] == part["text"].encode("utf-16-le", "surrogatepass") != b""


@NEEDS_NODE
def test_texts_that_are_kept_whole_have_pythons_pieces(tmp_path: Path) -> None:
    added = ["[NAME]", "@USER", "[SEP]x", "日本", "naïve", "\U0001f600"]
    rows = [["[NAME]'s [name] [[NAME]]"], ["@USERs"], *([f"{one}{name}{one}"] for one in HARD[::3] for name in added)]
    (found,) = check_answers(tmp_path, [(a_model(size=3, added=added), rows)], tolerance=1e-6, kind="dsn")
    assert [part["text"] for part in found[0]["parts"]].count("[NAME]") == 2


@NEEDS_NODE
@pytest.mark.parametrize("texts", [1, 2])
def test_node_answers_as_python_does(tmp_path: Path, texts: int) -> None:
    head, norm = {"head": random(3, WIDTH)}, {"head": random(3, WIDTH), "eps": 1e-12}
    options: dict[str, dict[str, Any]] = {
        "folded": {"labels": "ny", "size": 1},
        "a number, a sum": {"labels": "", "size": 1, "power": 0.0},
        "a head": head,
        "a norm": norm,
        "centred": norm | {"centred": True},
        "int8": head | codes(8, 1, 1),
        "int8 by groups": norm | codes(8, 2, 2),
        "int4": head | codes(4, 1, 1),
        "2 bits by groups": head | codes(2, 4, 0),
    }
    rows = PAIRS if texts > 1 else ROWS
    models = [(a_model("dsn", texts=texts, **more), rows) for more in options.values()]
    check_answers(tmp_path, models, tolerance=1e-6, kind="dsn")


@NEEDS_NODE
def test_node_compares_two_texts_as_python_does(tmp_path: Path) -> None:
    models = []
    for size in (None, 6):
        hidden = {"hidden": random(size, 4 * WIDTH), "hidden_bias": random(size)} if size else {}
        names = ("piece_scale", "piece_shift", "text_scale", "text_shift")
        norms: dict[str, Any] = {"eps": 1e-12, "text_eps": 1e-5} | {name: random(WIDTH) for name in names}
        for more in ({}, norms):
            content = a_model("pair", texts=2, head=random(3, size or 4 * WIDTH), **hidden, **more)
            models.append((content, PAIRS[::3]))
    models.append((a_model("pair", texts=2, head=random(3, 4 * WIDTH), max_length=LONGEST - 1), PAIRS))  # an even room
    check_answers(tmp_path, models, tolerance=1e-6, kind="pair")


@NEEDS_NODE
@pytest.mark.parametrize("act", ["sigmoid", "tanh", "relu"])
def test_node_answers_with_dendrites_as_python_does(tmp_path: Path, act: str) -> None:
    models: list[tuple[bytes, Any]] = []
    for count, texts in ((1, 1), (3, 2)):
        for norm in ("none", "layer"):
            network = test_layers.grown(test_fold.make(3, norm=norm), count, act)
            models.append((test_fold.pack(network, is_pair=texts == 2), PAIRS if texts == 2 else ROWS))
    check_answers(tmp_path, models, tolerance=2e-6, kind="dendritic")


@NEEDS_NODE
def test_a_word_counts_as_much_as_the_score_changes_without_it(tmp_path: Path) -> None:
    network = test_layers.grown(test_fold.make(1, norm="none", readout="sum", positional=False))
    content = test_fold.pack(network)
    (found,) = ask_node(tmp_path, [(content, [["film story"], ["story"]])], kind="dendritic")
    (part,) = [part for part in found[0]["parts"] if part["text"] == "film"]
    assert part["adds"] == pytest.approx(found[0]["value"] - found[1]["value"], abs=1e-6) != 0


@NEEDS_NODE
@pytest.mark.parametrize(("outputs", "norm"), [(1, "none"), (2, "none"), (2, "layer"), (3, "none")])
def test_node_adds_the_n_grams_of_the_pieces_of_a_text(tmp_path: Path, outputs: int, norm: str) -> None:
    network = test_fold.make(outputs, norm=norm)
    test_pair.add_random_ngrams(network, None)
    first, _ = test_fold.texts()
    rows = [[text] for text in first]
    (found,) = check_answers(tmp_path, [(test_fold.pack(network), rows)], tolerance=2e-6, kind="dsn", ngrams={})
    parts = [part for answer in found for part in answer["parts"]]
    assert any(" " in part["text"] for part in parts) and any(part["spans"] for part in parts)


@NEEDS_NODE
@pytest.mark.parametrize("way", ["max", "mean", "first"])
def test_node_reads_long_documents_as_python_does(tmp_path: Path, way: str) -> None:
    rows = [(one, other) for one in (*HARD[::9], " ".join(HARD)) for other in (*HARD[::4], " ".join(HARD))]
    rank: dict[str, Any] = {"labels": "", "texts": 2, "passages": way}
    pair = a_model("pair", head=random(1, 4 * WIDTH), **rank)
    even, odd = (a_model("dsn", size=1, power=0.0, max_length=most, **rank) for most in (LONGEST, LONGEST - 3))
    check_answers(tmp_path, [(one, rows) for one in (pair, even, odd)], tolerance=1e-6, kind="pair")


@NEEDS_NODE
@pytest.mark.parametrize(("outputs", "is_symmetric"), [(1, False), (2, True), (3, False)])
def test_node_adds_the_n_grams_of_pieces_as_python_does(tmp_path: Path, outputs: int, is_symmetric: bool) -> None:
    network = test_pair.make(outputs)
    test_pair.add_random_ngrams(network, PairOptions(2, is_symmetric, cross=True))
    test_pair.rounded(network, bits=4 if is_symmetric else 8)
    first, second = test_fold.texts()
    content = test_fold.pack(network, is_pair=True)
    (found,) = check_answers(tmp_path, [(content, list(zip(first, second)))], tolerance=2e-6, kind="pair", ngrams={})
    assert {"in both" if not is_symmetric else "one in each", None} <= {
        part.get("about") for answer in found for part in answer["parts"]
    }


@NEEDS_NODE
def test_a_word_is_a_reason_at_each_of_its_places(tmp_path: Path) -> None:
    pair = a_model("pair", texts=2, head=random(3, 4 * WIDTH))
    models = [(a_model("dsn", "ny", size=1), [["Tab tab é tab"]]), (pair, [["tab new", "line new"]])]
    one, two = ask_node(tmp_path, models, kind="pair")
    assert [part["text"] for part in one[0]["parts"]].count("tab") == 2, "each by itself: its position counts"
    (part,) = [part for part in two[0]["parts"] if part["text"] == "line"]
    assert part["field"] == 1 and part["spans"] == [[0, 4]]


@NEEDS_NODE
def test_unknown_fields_and_another_number_of_texts_are_refused(tmp_path: Path) -> None:
    field, number = ask_node(tmp_path, [(a_model(twist=1), [["a"]]), (a_model(), [["a", "b"]])], kind="dsn")
    assert "has twist" in field["error"] and "reads 1 at a time" in number["error"]


def test_the_file_gets_shorter_and_loses_nothing() -> None:
    content = a_model()
    found = shrunk(content, "model.bin")
    assert len(found) < len(content)
    header, arrays = read_model(content, "")
    after, shorter = read_model(found, "")
    assert after["planes"] == {"words": list(arrays["words"].shape)} and after["front"]
    rows = np.ascontiguousarray(shorter["words"].T).view("<f4").reshape(arrays["words"].shape)
    first, last = (after["pieces"][end] for end in ("first", "last"))
    assert np.array_equal(rows[first], arrays["words"][header["pieces"]["first"]])
    assert np.array_equal(rows[last], arrays["words"][header["pieces"]["last"]])
    assert np.array_equal(np.sort(rows, axis=0), np.sort(arrays["words"], axis=0))
    assert shrunk(golden_content(), "model.bin") == golden_content(), "n-grams stay as they are"


def test_shared_beginnings_are_counted() -> None:
    assert front_coded(["an", "and", "andy", "be", "b𝔘", "b𝔘x"]) == "\0an\2d\3y\0be\1𝔘\1𝔘x"
    assert front_coded(["a" * 40, "a" * 41]) == "\0" + "a" * 40 + "\x1f" + "a" * 10
