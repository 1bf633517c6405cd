"""Cleaning steps: what they map, and that a saved tokenizer keeps them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.inputs.cleaning import clean_text, known_steps, marked, unmarked
from data.inputs.hashed_words import HashedWords
from data.inputs.tokenizer import PieceTokenizer, Tokenizer, load_tokenizer, train_tokenizer
from data.inputs.trimmed import trim
from data.inputs.words import Words

TWEETS = ("tweets",)
RAW = "RT @Ana_1: water at https://t.co/aB3?x=1, see www.who.int/a). Mail me@who.int @@ http…"
CLEAN = "RT @USER: water at HTTPURL, see HTTPURL). Mail me@who.int @@ HTTPURL…"


def tokenizer() -> PieceTokenizer:
    return train_tokenizer([CLEAN, RAW, "water mail see httpurl user me @ /"] * 3, 120)


def ids(found: Tokenizer, text: str) -> list[int]:
    return found.encode([text], None, 64).tokens.tolist()


def test_links_and_users_of_tweets_become_words_of_bertweet() -> None:
    assert clean_text(RAW, TWEETS) == CLEAN
    assert clean_text("HTTPS://T.CO/x (@a)", TWEETS) == "HTTPURL (@USER)"
    assert clean_text("http is a protocol, httpd a server, 7@5", TWEETS) == "http is a protocol, httpd a server, 7@5"


def test_a_clean_text_stays_as_it_is_and_no_step_changes_nothing() -> None:
    assert clean_text(CLEAN, TWEETS) == CLEAN and clean_text(RAW, ()) == RAW


def test_a_long_text_of_dots_and_links_takes_no_quadratic_time() -> None:
    begun = time.perf_counter()
    clean_text("https://" + "." * 200_000 + " @" * 100_000 + "http" * 100_000, TWEETS)
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize("made", [tokenizer(), HashedWords(), HashedWords((2, 3))])
def test_a_saved_tokenizer_cleans_texts_as_it_did(made: Tokenizer, tmp_path: Path) -> None:
    cleaning = made.cleaned_by(TWEETS)
    assert ids(cleaning, RAW) == ids(made, CLEAN) != ids(made, RAW)
    assert cleaning.fingerprint != made.fingerprint == cleaning.cleaned_by(()).fingerprint
    cleaning.save(tmp_path)
    opened = load_tokenizer(str(tmp_path))
    assert opened.cleaning == TWEETS and opened.fingerprint == cleaning.fingerprint
    assert ids(opened, RAW) == ids(made, CLEAN)


def test_second_texts_are_cleaned_too() -> None:
    found, made = HashedWords(cleaning=TWEETS), HashedWords()
    assert found.encode(["a"], [RAW], 64).tokens.tolist() == made.encode(["a"], [CLEAN], 64).tokens.tolist()


def test_a_trimmed_vocabulary_keeps_the_steps(tmp_path: Path) -> None:
    full = tokenizer().cleaned_by(TWEETS)
    trimmed = trim(full, np.ones(full.vocab_size, np.int64), "task")
    trimmed.save(tmp_path)
    assert load_tokenizer(str(tmp_path)).cleaning == trimmed.cleaning == TWEETS
    assert ids(trimmed, RAW) == ids(tokenizer(), CLEAN)


def test_fingerprints_say_which_tokens_and_which_steps() -> None:
    assert marked("abc", TWEETS) != "abc" == unmarked(marked("abc", TWEETS)) == marked(marked("abc", TWEETS), ())


@pytest.mark.parametrize("entry", [["tweets", "rot13"], "tweets", {"a": 1}, 3])
def test_an_unknown_step_in_a_saved_folder_is_refused(entry: object, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the known steps are tweets"):
        known_steps(entry)
    tokenizer().save(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"cleaning": entry}))
    with pytest.raises(DataError, match="Update Bertier"):
        load_tokenizer(str(tmp_path))


def test_rows_of_words_refuse_cleaning() -> None:
    with pytest.raises(DataError, match="these rows are words"):
        Words(tokenizer().cleaned_by(TWEETS))
