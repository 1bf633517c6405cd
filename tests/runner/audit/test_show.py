"""The report fits 80 columns, whatever is in the data, and says what was found."""

from __future__ import annotations

from pathlib import Path

from rich.cells import cell_len

from runner.audit.show import show_audit
from tests.runner.audit.tables import audit_file, rows_of


def report(audit: object) -> list[str]:
    return list(show_audit(audit))  # type: ignore[arg-type]


def test_all_lines_but_commands_fit_the_screen(tmp_path: Path) -> None:
    rows = rows_of(90)
    wild = [
        (f"{text} \x1b[31m 日本語 {'漢字' * 40}", "完全に長すぎる名前のクラス" * 3) if row % 3 == 0 else (text, label)
        for row, (text, label) in enumerate(rows)
    ]
    lines = report(audit_file(tmp_path, wild))
    unbroken = "  run ", f"    {tmp_path}"  # commands to copy, and a path that is longer than a line
    assert not [line for line in lines if cell_len(line) > 80 and not line.startswith(unbroken)]
    assert not any("\x1b" in line for line in lines)
    assert any(line.startswith("  完全に") and "..." in line for line in lines)


def test_many_classes_are_cut_in_the_middle(tmp_path: Path) -> None:
    rows = [(text, f"class {row % 20:02}") for row, (text, _) in enumerate(rows_of(600))]
    lines = report(audit_file(tmp_path, rows))
    assert "  ... 9 more" in lines
    assert sum(line.startswith("  class ") for line in lines) == 11


def test_what_was_found_is_said(tmp_path: Path) -> None:
    rows = rows_of(60)
    text = " ".join(
        " ".join(report(audit_file(tmp_path, [*rows, *rows[:30], *((text, "good") for text, _ in rows)]))).split()
    )
    assert "task: classification of texts, 2 classes; the labels are texts" in text
    assert "leak: " in text and "no model that ignores case, white space and punctuation is right for" in text
    assert "majority class 'bad': " in text or "majority class 'good': " in text
    assert "near-duplicates (70 % equal character 5-grams; all)" in text
    assert "to start with run model=dsn data=files" in text
