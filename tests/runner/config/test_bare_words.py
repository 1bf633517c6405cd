"""A word without an equals sign gets the setting that may have been meant, not itself with an equals sign."""

from __future__ import annotations

import pytest

from runner.config.bare_words import no_setting
from runner.config.check import check_overrides


@pytest.mark.parametrize(
    ("word", "cure"),
    [
        ("latets", "run --help"),
        ("dsn", "model=dsn"),
        ("sst2", "data=sst2"),
        ("reviews.csv", "data=files data.path=reviews.csv"),
        ("dsn_vs_bert_tiny", "run -m +sweep=dsn_vs_bert_tiny"),
        ("lr", "optimizer.lr=..."),
    ],
)
def test_the_cure_is_what_the_word_may_stand_for(word: str, cure: str) -> None:
    assert check_overrides(["data=demo", word]) == [
        f"{word!r} is not a setting, which is written key=value. Try: {cure}"
    ]


def test_a_verb_adds_its_own_keys_and_its_help() -> None:
    assert no_setting("max_kb", "best", ["max_kb"]).endswith("Try: max_kb=...")
    assert no_setting("latets", "best").endswith("Try: run best --help")
    assert no_setting("--resume", "best") == "no flag --resume; settings are written key=value. Try: run best --help"
