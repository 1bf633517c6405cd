"""Lengths and the fit of the tokenizer are those of the texts."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import DataError
from runner.audit import lengths
from runner.audit.audit import audit_data
from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve
from tests.runner.audit.tables import audit_file, rows_of, write_table


def test_texts_over_the_longest_are_counted_not_cut(tmp_path: Path) -> None:
    rows = [(f"{text} {'word ' * 40 if row % 4 == 0 else ''}", label) for row, (text, label) in enumerate(rows_of(80))]
    found = audit_file(tmp_path, rows, "data.max_length=32").lengths["train"]
    assert found.tokens is not None and found.tokens.max > 45
    assert found.cut is not None and 0.15 < found.cut < 0.35
    assert found.words.max >= 48 and found.words.p50 == 8


def test_unknown_letters_are_a_share_of_the_tokens(tmp_path: Path) -> None:
    rows = rows_of(80)
    foreign = [(f"привет {text}", label) for text, label in rows[:20]]
    tokenizer = audit_file(tmp_path, [*foreign, *rows[20:]]).tokenizer
    assert list(tokenizer.scripts) == ["LATIN", "CYRILLIC"] and tokenizer.unknown == 0  # its own vocabulary knows them
    assert tokenizer.tokens_per_word is not None and tokenizer.tokens_per_word >= 1


def test_the_vocabulary_is_trained_on_texts_as_they_are_cleaned(tmp_path: Path) -> None:
    rows = [(f"@n{number} zz {'zn'[number % 2] * 3}", "ab"[number % 2]) for number in range(80)]
    found = audit_file(tmp_path, rows, "data.clean=tweets")
    assert found.tokenizer.unknown == 0 and found.lengths["train"].tokens is not None
    assert found.lengths["train"].tokens.max <= 7  # [CLS] @ USER zz zzz [SEP]


def test_tokens_are_counted_with_special_tokens_only_where_the_model_has_them(tmp_path: Path) -> None:
    found = [
        audit_file(tmp_path, rows_of(60), *words).lengths["train"].tokens
        for words in ((), ("model=static", "model.pretrained=null"))
    ]
    assert found[0] is not None and found[1] is not None and found[0].max == found[1].max + 2


def test_a_tokenizer_that_is_not_at_hand_is_replaced_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(source: str, **_: object) -> None:
        raise DataError(f"the tokenizer {source} is not cached and the hub does not answer. Go on with: another")

    monkeypatch.setattr(lengths, "load_tokenizer", absent)
    path = write_table(tmp_path / "rows.csv", rows_of(60))
    words = ["data=files", f"data.path={path}", f"paths.cache={tmp_path / 'cache'}"]
    tokenizer = audit_data(resolve(compose(words)), words, all_near=False, problems=check_overrides).tokenizer
    assert tokenizer.name == "train" and tokenizer.unknown == 0
    assert tokenizer.why == (
        "the tokenizer google-bert/bert-base-uncased is not cached and the hub does not answer; instead a "
        "vocabulary of at most 4,096 tokens trained on 49 rows"
    )


def test_a_model_of_whole_words_has_no_tokens(tmp_path: Path) -> None:
    audit = audit_file(tmp_path, rows_of(60), "model=ngram")
    assert audit.lengths["train"].tokens is None and audit.tokenizer.unknown is None
    assert audit.lengths["train"].words.p50 > 5
