"""Turkish lower case: the words that people mean, once, in every form in which a tokenizer is saved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.inputs.hashed_words import HashedWords, open_words
from data.inputs.language_case import language_of, lowered
from data.inputs.tokenizer import SPECIAL, PieceTokenizer, load_tokenizer, lower_as, train_tokenizer
from data.targets.written_text import lower_case
from runner.deploy.bundle.language import lower_turkish

TABLE = {  # as written, as BERT reads it, in lower case alone, and in Turkish
    "IŞIK": ("isik", "işik", "ışık"),
    "İstanbul": ("istanbul", "i\u0307stanbul", "istanbul"),
    "ığdır": ("ıgdır", "ığdır", "ığdır"),
    "ÇAĞRI": ("cagri", "çağri", "çağrı"),
    "öğretmen": ("ogretmen", "öğretmen", "öğretmen"),
    "İ I ı": ("i i ı", "i\u0307 i ı", "i ı ı"),
    "İI": ("ii", "i\u0307i", "iı"),
}
OTHERS = ["12.5 % of 2026", "übergrößen", "привет мир", "中文字符", "مرحبا", "", "[x] @me #1"]


def uncased(folder: Path, pieces: list[str], **beside: object) -> PieceTokenizer:
    """BERT's uncased tokenizer with these pieces."""
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *pieces]), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(beside), encoding="utf-8")
    found = load_tokenizer(str(folder))
    assert isinstance(found, PieceTokenizer)
    return found


@pytest.mark.parametrize(("text", "forms"), TABLE.items())
def test_each_way_of_lowering_gives_its_own_word(tmp_path: Path, text: str, forms: tuple[str, str, str]) -> None:
    bert = uncased(tmp_path, []).backend
    kept = uncased(tmp_path, [], strip_accents=False).backend
    assert bert.normalizer.normalize_str(text) == forms[0]
    assert kept.normalizer.normalize_str(text) == forms[1]
    cased = uncased(tmp_path, [], do_lower_case=False, strip_accents=False).backend
    ways = (lowered(cased, "tr").normalizer.normalize_str, lower_turkish, lambda one: lower_case(one, "tr"))
    assert [way(text) for way in ways] == [forms[2]] * 3


@pytest.mark.parametrize("text", [*TABLE, *OTHERS])
def test_lowering_twice_changes_nothing_more_and_other_scripts_stay(text: str) -> None:
    assert lower_turkish(lower_turkish(text)) == lower_turkish(text)
    if text in OTHERS:
        assert lower_turkish(text) == text


def test_a_pretrained_tokenizer_keeps_its_own_steps_after_those_of_the_language(tmp_path: Path) -> None:
    plain = uncased(tmp_path, ["istanbul", "'", "da", "is", "##ik", "var", "m", "##ı", "?"])
    text = "İstanbul'da IŞIK var mı?"
    wanted = ["istanbul", "'", "da", "is", "##ik", "var", "m", "##ı", "?"]
    assert plain.backend.encode(text, add_special_tokens=False).tokens == wanted
    changed = lower_as(plain, "tr")
    assert changed.fingerprint != plain.fingerprint and changed.language == "tr" and plain.language is None
    assert changed.backend.encode("IŞIK", add_special_tokens=False).tokens == ["[UNK]"], "ı is no i, and not known here"
    assert lower_as(changed, "tr") is changed and lower_as(plain, None) is plain


def test_a_trained_vocabulary_has_one_spelling_of_a_word(tmp_path: Path) -> None:
    texts = ["IŞIK ışık Işık ve İSTANBUL İstanbul istanbul, ÇAĞRI çağrı"] * 40
    tokenizer = train_tokenizer(texts, 200, "tr")
    assert {"ışık", "istanbul", "çağrı"} <= set(tokenizer.tokens()) and "isik" not in tokenizer.tokens()
    assert tokenizer.word_cache, "the fast way is for this tokenizer too"
    many = [*TABLE, *OTHERS, " ".join(TABLE), "I\u0307stanbul  IŞIK\tx"] * 2
    cached = tokenizer.encode(many, None, 32).tokens.tolist()
    assert cached == [one for text in many for one in tokenizer.backend.encode(text).ids]
    tokenizer.save(tmp_path)
    again = load_tokenizer(str(tmp_path))
    assert again.fingerprint == tokenizer.fingerprint and again.language == "tr"


def test_transformers_reads_the_saved_file_alike(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = train_tokenizer([" ".join(TABLE)] * 9, 200, "tr")
    tokenizer.save(tmp_path)
    text = "IŞIK İstanbul ÇAĞRI"
    assert AutoTokenizer.from_pretrained(tmp_path)(text)["input_ids"] == tokenizer.backend.encode(text).ids


def test_hashed_words_say_their_language_in_their_file(tmp_path: Path) -> None:
    turkish, plain = HashedWords(language="tr"), HashedWords()
    one, other = (words.encode(["IŞIK İstanbul", "ışık istanbul"], None, 9).tokens for words in (turkish, plain))
    assert one[0] == one[2] and one[1] == one[3] and other[0] != other[2]
    assert turkish.fingerprint != plain.fingerprint
    turkish.save(tmp_path)
    assert open_words(tmp_path) == turkish


@pytest.mark.parametrize(
    ("code", "language"),
    [("tr", "tr"), ("tur_Latn", "tr"), ("az-AZ", "tr"), ("en", None), ("zho_Hans", None), (None, None)],
)
def test_codes_of_languages_and_configs_are_known(code: str | None, language: str | None) -> None:
    assert language_of(code) == language


@pytest.mark.hub
def test_berts_english_pieces_of_turkish_are_the_published_ones() -> None:
    bert = load_tokenizer("google-bert/bert-base-uncased")
    assert isinstance(bert, PieceTokenizer)
    tokens = [
        bert.backend.encode(text, add_special_tokens=False).tokens
        for text in ("İstanbul'da IŞIK var mı?", "kitaplarımızdan")
    ]
    assert tokens[0] == ["istanbul", "'", "da", "is", "##ik", "var", "m", "##ı", "?"] and len(tokens[1]) == 8
