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


def test_turkish_rules_are_named_and_the_rest_is_read_as_of_bert() -> None:
    turkish = json.loads(train_tokenizer(["ılık İzmir"] * 3, 64, "tr").backend.to_str())
    found = wordpiece_vocabulary(turkish)
    assert found.language == {"language": "tr"} and not found.settings["lower"] and not found.settings["accents"]
    plain = wordpiece_vocabulary(turkish | {"normalizer": turkish["normalizer"]["normalizers"][-1]})
    assert plain.language == {} and (plain.pieces, plain.settings) == (found.pieces, found.settings)


@pytest.mark.parametrize(("lower", "strip", "strips"), [(True, None, True), (False, None, False), (True, False, False)])
def test_accents_are_stripped_with_capitals_unless_said(lower: bool, strip: bool | None, strips: bool) -> None:
    tokenizer = content()
    tokenizer["normalizer"] |= {"lowercase": lower, "strip_accents": strip}
    assert wordpiece_vocabulary(tokenizer).settings["accents"] == strips


def test_special_tokens_around_a_text_are_found_in_both_forms_of_a_processor() -> None:
    tokenizer = content()
    expected = wordpiece_vocabulary(tokenizer).settings
    ids = tokenizer["model"]["vocab"]
    names = {"cls": ["[CLS]", ids["[CLS]"]], "sep": ["[SEP]", ids["[SEP]"]]}
    tokenizer["post_processor"] = {"type": "BertProcessing", **names}
    assert wordpiece_vocabulary(tokenizer).settings == expected


def test_bare_texts_have_no_special_tokens_and_keep_unknown_pieces() -> None:
    tokenizer = content()
    first, second = ({"Sequence": {"id": name, "type_id": place}} for place, name in enumerate("AB"))
    tokenizer["post_processor"] |= {"single": [first], "pair": [first, second]}
    settings = wordpiece_vocabulary(tokenizer).settings
    assert settings["first"] is None and settings["last"] is None
    with pytest.raises(NotPacked, match="leaves unknown pieces out"):
        wordpiece_vocabulary(tokenizer | {"bare_texts": {"drops_unknown": True}})


def test_a_special_token_of_several_ids_is_refused() -> None:
    tokenizer = content()
    tokenizer["post_processor"]["special_tokens"]["[SEP]"]["ids"] = [3, 3]
    with pytest.raises(NotPacked, match="BERT's special tokens"):
        wordpiece_vocabulary(tokenizer)
