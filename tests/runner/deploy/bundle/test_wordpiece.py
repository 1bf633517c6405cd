"""WordPiece in pure Python: the ids of the `tokenizers` library."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.normalizers import BertNormalizer

from data.inputs.added_tokens import with_added
from data.inputs.text import Text
from data.inputs.tokenizer import train_tokenizer, wrap_backend
from data.inputs.truncation import MIDDLE
from data.sources.demo import generate_demo
from models.packed.vocabulary import wordpiece_vocabulary
from runner.commands.export import main
from runner.deploy.bundle import wordpiece
from runner.deploy.bundle.wordpiece import WordPiece, truncated
from runner.deploy.exported import find_model
from runner.deploy.predictors import open_predictor
from tests.runner.deploy.bundle.hard_texts import HARD
from tests.runner.deploy.runs import write_run

UNLIMITED = 10**9
NORMALIZERS = {
    "uncased": {},
    "cased": {"lowercase": False},
    "accents kept": {"strip_accents": False},
    "cased, without accents": {"lowercase": False, "strip_accents": True},
    "ideographs in words": {"handle_chinese_chars": False},
}


@pytest.fixture(scope="module")
def rows() -> list[str]:
    return [text for text, _, _ in generate_demo("sentiment", 2000, seed=3)]


@pytest.fixture(scope="module")
def backend(rows: list[str]) -> Tokenizer:
    """A vocabulary of the rows and the hard texts."""
    return train_tokenizer([*rows[:500], *HARD, *HARD], 600).backend


def read(backend: Tokenizer) -> tuple[WordPiece, list[int]]:
    """The vocabulary read in Python, and the library's id of each of its pieces."""
    vocabulary = wordpiece_vocabulary(json.loads(backend.to_str()))
    return WordPiece(
        {piece: place for place, piece in enumerate(vocabulary.pieces)}, vocabulary.settings
    ), vocabulary.ids.tolist()


@pytest.mark.parametrize("options", NORMALIZERS.values(), ids=NORMALIZERS.keys())
def test_hard_texts_have_the_librarys_ids(backend: Tokenizer, options: dict[str, bool]) -> None:
    copy = Tokenizer.from_str(backend.to_str())
    copy.normalizer = BertNormalizer(**options)
    words, ids = read(copy)
    for text in [*HARD, " ".join(HARD), *(f"{one}x{other}" for one, other in pairwise(HARD))]:
        found = [ids[piece] for piece in words.ids(text, UNLIMITED)]
        assert found == copy.encode(text, add_special_tokens=False).ids, repr(text)


def test_added_tokens_have_the_librarys_ids(backend: Tokenizer) -> None:
    added = ["[NAME]", "@USER", "[SEP]x", "日本", "naïve", "😀"]
    made = with_added(wrap_backend(Tokenizer.from_str(backend.to_str()), "test"), added).backend
    words, ids = read(made)
    for text in ["[NAME]'s [name] [[NAME]]", "@USERs", *(f"{one}{name}{one}" for one in HARD for name in added)]:
        found = [ids[piece] for piece in words.ids(text, UNLIMITED)]
        assert found == made.encode(text, add_special_tokens=False).ids, repr(text)


def test_rows_have_the_librarys_ids(backend: Tokenizer, rows: list[str]) -> None:
    words, ids = read(backend)
    for text, encoding in zip(rows, backend.encode_batch_fast(rows, add_special_tokens=False)):
        assert [ids[piece] for piece in words.ids(text, UNLIMITED)] == encoding.ids


def test_a_long_text_is_cut_as_if_it_had_been_read_whole(backend: Tokenizer, rows: list[str]) -> None:
    words, _ = read(backend)
    for text in (
        " ".join(rows[:50]),
        "x" * 5000,
        " " * 3000 + "good film",
        " ".join(HARD) * 3,
        "\u200b " * 2000 + "end",
    ):
        whole = words.ids(text, UNLIMITED)
        for most in (0, 1, 7, 64):
            assert words.ids(text, most) == whole[:most]


def test_a_lone_surrogate_is_left_out(backend: Tokenizer) -> None:
    words, _ = read(backend)
    assert words.ids("go\ud800od fi\udfff", UNLIMITED) == words.ids("good fi", UNLIMITED)


def test_the_cache_does_not_grow_for_ever(backend: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordpiece, "MOST_CACHED", 10)
    words, _ = read(backend)
    for number in range(100):
        words.ids(f"word{number} wörd{number}", UNLIMITED)
        words.ids("x" * 1000, UNLIMITED)
    assert len(words._words) <= 10 and len(words._parts) <= 10
    assert max(map(len, words._words)) <= wordpiece.LONGEST_CACHED


@pytest.mark.parametrize("most", [9, 10, 31])
def test_long_texts_lose_their_middle_as_in_training(rows: list[str], backend: Tokenizer, most: int) -> None:
    words, ids = read(backend)
    reader, own = truncated(words, MIDDLE), wrap_backend(backend, "here")
    texts = [*rows[:40], " ".join(rows[:20]), "", *HARD]
    for text, other in pairwise(texts):
        for pair in (None, other):
            columns = {"text": [text]} | ({} if pair is None else {"text_pair": [pair]})
            expected = Text(own, pair is not None, MIDDLE).encode(columns, most)
            found, start = reader.row(text, pair, most)
            assert [ids[piece] for piece in found] == expected.tokens.tolist()
            assert start == expected.segment_starts[0]
            assert reader.length(text, pair) == words.length(text, pair)


def test_a_way_to_cut_that_is_not_known_is_refused(backend: Tokenizer) -> None:
    words, _ = read(backend)
    assert truncated(words, "end") is words
    with pytest.raises(ValueError, match="cut in a way unknown to this reader"):
        truncated(words, "start")


def test_every_engine_and_the_bundle_read_both_ends_of_a_long_text(tmp_path: Path) -> None:
    more, mean = ("data.truncate=middle", "data.max_length=20"), {"name": "mean"}
    write_run(tmp_path, "dddd", is_packed=True, more=more, family="dsn", readout=mean)
    assert main(["dddd", "format=bundle", f"paths.output={tmp_path}", f"out={tmp_path}/b"]) == 0
    begin, end = "a dull and lifeless film " * 4, " lovely and warm in every scene" * 4
    texts = [begin + middle + end for middle in ("", "the plot was thin " * 9)]
    done = subprocess.run(
        [sys.executable, "-E", "predict.py", texts[1]], capture_output=True, text=True, cwd=tmp_path / "b", check=True
    )
    answer = json.loads(done.stdout)
    for engine in ("numpy", "torch"):
        predictor = open_predictor(find_model("dddd", tmp_path, engine))
        found = predictor([*texts, begin * 4])
        for same in found[:2]:  # a row's last bits depend on its place in the batch
            assert same["probabilities"] == pytest.approx(answer["probabilities"], abs=1e-6)
        assert found[2]["probabilities"] != pytest.approx(answer["probabilities"], abs=1e-3)
