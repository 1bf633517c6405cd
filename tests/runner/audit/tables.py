"""Small files to audit, and the audit of one."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from runner.audit.audit import audit_data
from runner.audit.facts import Audit
from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.resolve import resolve

SUBJECTS = ("train", "room", "staff", "film", "garden", "lamp", "dinner", "pillow", "river", "song")
GOOD = ("clean", "bright", "lovely", "warm", "splendid", "gentle")
BAD = ("dirty", "bland", "stale", "cold", "broken", "dreadful")


def rows_of(count: int) -> list[tuple[str, str]]:
    """Rows of distinct texts of two classes in turn."""
    found = []
    for row in range(count):
        words, label = (GOOD, "good") if row % 2 else (BAD, "bad")
        first, second = words[row // 2 % 6], words[row // 12 % 6]
        found.append((f"the {SUBJECTS[row % 10]} of {row * 7919} was {first} and {second}", label))
    return found


def write_table(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = ("text", "label")) -> Path:
    """Write a CSV."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


def audit_of(tmp_path: Path, *words: str, all_near: bool = False) -> Audit:
    """The audit of a command, with a trained vocabulary, so that no hub is asked."""
    trained = [] if "model=ngram" in words else ["model.tokenizer=train", "model.vocab_size=300"]
    whole = [*words, *trained, f"paths.cache={tmp_path / 'cache'}"]
    return audit_data(resolve(compose(whole), words=whole), words, all_near=all_near, problems=check_overrides)


def audit_file(tmp_path: Path, rows: Sequence[Sequence[str]], *words: str, all_near: bool = False) -> Audit:
    """The audit of a file of these rows, all of which are cut into train, val and test."""
    path = write_table(tmp_path / "rows.csv", rows)
    return audit_of(tmp_path, "data=files", f"data.path={path}", *words, all_near=all_near)
