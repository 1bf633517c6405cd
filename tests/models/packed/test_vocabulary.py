"""A vocabulary for a model.bin: which pieces it keeps, and which tokenizers it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tokenizers import Tokenizer, models

from data.inputs.tokenizer import train_tokenizer
from models.packed.errors import NotPacked
from models.packed.vocabulary import is_reachable, wordpiece_vocabulary


def content() -> dict[str, Any]:
    """The tokenizer.json of a small vocabulary with BERT's pipeline."""
    found: dict[str, Any] = json.loads(train_tokenizer(["good films, bad films!"] * 3, 64).backend.to_str())
    return found


def test_pieces_that_no_text_has_are_left_out() -> None:
    tokenizer = content()
    tokenizer["model"]["vocab"] |= {"[unused1]": 900, "##!": 901, "?": 902, "##ing": 903, "a-b": 904}
    found = wordpiece_vocabulary(tokenizer)
    assert {"?", "##ing", "[PAD]", "[CLS]"} <= set(found.pieces)
    assert not {"[unused1]", "##!", "a-b"} & set(found.pieces)
    assert found.ids[found.pieces.index("##ing")] == 903
    assert (found.pieces[found.settings["first"]], found.pieces[found.settings["last"]]) == ("[CLS]", "[SEP]")
    assert found.array().tobytes().decode().split("\n") == found.pieces


@pytest.mark.parametrize("piece", ["a", "##a", "!", "##", "naïve", "##ß"])
def test_pieces_of_words_are_reachable(piece: str) -> None:
    assert is_reachable(piece, "##") == (piece != "##")


def change(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Sets an entry of a tokenizer.json."""

    def apply(tokenizer: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        for key in parents:
            tokenizer = tokenizer[int(key) if key.isdigit() else key]
        tokenizer[last] = value

    return apply


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (change("normalizer", None), "not like BERT's"),
        (change("normalizer.clean_text", False), "reads spaces"),
        (change("added_tokens.0.lstrip", True), "reads spaces"),
        (change("added_tokens.0.content", "two words"), "special tokens with spaces"),
        (change("post_processor", None), "BERT's special tokens"),
        (change("post_processor.single", []), "BERT's special tokens"),
        (change("post_processor.pair.3.Sequence.type_id", 0), "BERT's special tokens"),
    ],
)
def test_other_tokenizers_are_refused(damage: Callable[[dict[str, Any]], None], message: str) -> None:
    tokenizer = content()
    damage(tokenizer)
    with pytest.raises(NotPacked, match=message):
        wordpiece_vocabulary(tokenizer)


def test_other_kinds_of_pieces_are_refused() -> None:
    backend = Tokenizer(models.BPE({"a": 0}, []))
    for tokenizer in (json.loads(backend.to_str()), None):
        with pytest.raises(NotPacked, match="not like BERT's"):
            wordpiece_vocabulary(tokenizer)
