"""Near repeats across splits, exact ones aside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from runner.audit import repeats
from runner.audit.repeats import _drawn
from tests.runner.audit.tables import audit_file, audit_of, rows_of, write_table


def test_near_repeats_are_found_with_split_label_and_texts(tmp_path: Path) -> None:
    rows = rows_of(120)
    near = rows[10][0].replace("the ", "one ")
    train = write_table(tmp_path / "train.csv", rows[:100])
    test = write_table(tmp_path / "test.csv", [*rows[100:], (near, "good"), rows[11]])
    near_facts = audit_of(tmp_path, "data=files", f"data.train_path={train}", f"data.test_path={test}").near
    assert near_facts.is_whole and near_facts.compared_with == 121  # the exact repeat counts once
    first = near_facts.examples[0]
    assert set(first.texts) == {rows[10][0], near} and set(first.labels) == {"good", "bad"}
    assert near_facts.near["test"] >= 1 and near_facts.other_label["test"] >= 1


def test_near_repeats_with_tags_of_words_are_not_said_to_have_another_label(tmp_path: Path) -> None:
    sentence = "Ada Lovelace wrote the first program for a machine that was never built"
    lines = []
    for number in range(60):
        words = f"{sentence} {'indeed ' if number % 2 else ''}{number}".split()
        lines.append(json.dumps({"tokens": words, "tags": ["B-PER", "I-PER", *["O"] * (len(words) - 2)]}))
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    near = audit_of(
        tmp_path, "data=files", f"data.path={path}", "task=tags", "data.tokens=tokens", "data.tags=tags"
    ).near
    assert near.near["train"] > 40 and set(near.other_label.values()) == {0}


def test_both_texts_of_a_pair_must_be_near(tmp_path: Path) -> None:
    premise = "a long sentence about a man who is playing a guitar on a stage in front of many people"
    rows = [(f"{premise} {number * 7919}", text, label) for number, (text, label) in enumerate(rows_of(60))]
    path = write_table(tmp_path / "rows.csv", rows, ("text", "other", "label"))
    found = audit_of(tmp_path, "data=files", f"data.path={path}", "data.text_pair=other").near
    assert all(example.similarity < 1 for example in found.examples)
    assert sum(found.near.values()) < 20  # of 60, of which all premises are near


def test_a_sample_has_texts_from_outside_of_train(monkeypatch: object) -> None:
    held = np.arange(50_000) % 10 == 0
    kept, wanted = _drawn(held, 20_000)
    assert len(kept) == 20_000 and (np.diff(kept) > 0).all()
    assert wanted.sum() == repeats.LOOKED_UP and (wanted & held).sum() == 5_000
    assert wanted[kept].sum() == repeats.LOOKED_UP  # all that are looked up are among those compared
    _, of_few = _drawn(np.arange(12_000) < 100, 20_000)
    assert (of_few & (np.arange(12_000) < 100)).sum() == 100 and of_few.sum() == repeats.LOOKED_UP


def test_a_file_of_one_text_is_no_near_repeat(tmp_path: Path) -> None:
    rows = [("the same text again", label) for _, label in rows_of(40)]
    found = audit_file(tmp_path, rows, all_near=True)
    assert found.near.near == {"train": 0, "val": 0, "test": 0}
    assert found.repeats["train"].repeated == found.splits["train"] - 1
