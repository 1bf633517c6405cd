"""Every method over every family in whole runs; writes the tables of models/families.md (about 4 minutes of one core).

.venv/bin/python -m pytest tests/benchmarks/bench_families.py -s
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.conftest import write_reviews
from tests.end_to_end.family_runs import CHECKS, MEASURED, FamilyRuns
from tests.models.families import ENCODERS
from tests.models.family_table import CONFIGS, FACTS, NAMES, PAGE, facts, with_rows


def row_of(family: str, folder: Path, head: str) -> dict[str, str]:
    """The findings of every check, by column; what fails is told by the first line of its reason."""
    runs, found = FamilyRuns(family, folder, write_reviews(folder / "reviews.csv"), head), {MEASURED[0]: NAMES[family]}
    for name, check in CHECKS.items():
        try:
            found[name] = check(runs)
        except Exception as error:  # the table says what fails
            found[name] = f"fails: {type(error).__name__} {str(error).splitlines()[0][:60] if str(error) else ''}"
    return found


def test_every_method_works_on_every_family_and_the_page_says_so(tmp_path: Path) -> None:
    tables: dict[str, list[Mapping[str, str]]] = {head: [] for head in ("trained", "stock")}
    for head, rows in tables.items():
        (tmp_path / head).mkdir()
        for family in ENCODERS:
            rows.append(row_of(family, tmp_path / head, head))
            print(head, *rows[-1].values(), sep=" | ", flush=True)
    text = with_rows(PAGE.read_text(encoding="utf-8"), FACTS, [facts(family) for family in CONFIGS])
    PAGE.write_text(with_rows(text, MEASURED, tables["trained"]), encoding="utf-8")
    wrong = [cell for rows in tables.values() for row in rows for cell in row.values() if cell.startswith("fails")]
    assert not wrong
