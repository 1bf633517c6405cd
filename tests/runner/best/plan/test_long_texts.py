"""Which tokens of long texts tell more about the labels of training rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.load import Rows, read_rows
from data.stores.build_once import SharedCache
from runner.best.plan.facts import read_facts
from runner.best.plan.long_texts import both_ends_tell_more
from tests.runner.best.conftest import settings_of

LONGEST = 20


def rows_of(folder: Path, texts: Sequence[str], labels: Sequence[object], cache: SharedCache, *more: str) -> Rows:
    lines = ["text,label", *(f"{text},{label}" for text, label in zip(texts, labels))]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ["data=files", f"data.path={folder / 'rows.csv'}", "data.text=text", "data.label=label", *more]
    return read_rows(settings_of(*words).data, cache)


def filler(count: int, words: int = 60) -> list[str]:
    rng = np.random.default_rng(1)
    return [" ".join(f"w{number}" for number in rng.integers(0, 200, words)) for _ in range(count)]


@pytest.mark.parametrize(("where", "expected"), [("last", True), ("first", False), ("nowhere", False)])
def test_both_ends_are_read_where_the_end_has_the_label(
    tmp_path: Path, shared_cache: SharedCache, where: str, expected: bool
) -> None:
    texts = filler(400)
    marks = ["bad" if row % 2 else "good" for row in range(400)]
    if where != "nowhere":
        texts = [f"{mark} {text}" if where == "first" else f"{text} {mark}" for mark, text in zip(marks, texts)]
    rows = rows_of(tmp_path, texts, [row % 2 for row in range(400)], shared_cache)
    facts = read_facts(rows, shared_cache)
    assert both_ends_tell_more(rows, facts, LONGEST) is expected
    assert not both_ends_tell_more(rows, facts, 128) and not both_ends_tell_more(rows, replace(facts, is_pair=True), 20)


def test_letters_are_read_where_no_spaces_are(tmp_path: Path, shared_cache: SharedCache) -> None:
    rng = np.random.default_rng(2)
    texts = ["".join(map(chr, rng.integers(0x4E00, 0x4E80, 60))) + "好坏"[row % 2] for row in range(400)]
    rows = rows_of(tmp_path, texts, [row % 2 for row in range(400)], shared_cache)
    assert both_ends_tell_more(rows, read_facts(rows, shared_cache), LONGEST)


def test_numbers_are_not_judged(tmp_path: Path, shared_cache: SharedCache) -> None:
    rows = rows_of(tmp_path, filler(60), [row / 7 for row in range(60)], shared_cache, "data.task=regression")
    assert not both_ends_tell_more(rows, read_facts(rows, shared_cache), LONGEST)


def test_rows_of_a_rare_class_are_left_out(tmp_path: Path, shared_cache: SharedCache) -> None:
    rare = rows_of(tmp_path, filler(100), [0] * 96 + [1] * 4, shared_cache, "data.select_fraction=0.5")
    assert not both_ends_tell_more(rare, read_facts(rare, shared_cache), LONGEST)
