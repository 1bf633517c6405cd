"""The ledgers in sweeps/ledger/: each lists the claims in a sweep's YAML, with a verdict for every claim."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from yaml import safe_load

from runner.compare.ledger import COLUMNS
from runner.compare.verdict import NOT_REPRODUCED, NOT_TESTABLE, REPRODUCED, UNDECIDED
from tests.conftest import REPO

SWEEPS = REPO / "sweeps"
LEDGERS = sorted((SWEEPS / "ledger").glob("*.md"))
VERDICTS = (REPRODUCED, NOT_REPRODUCED, UNDECIDED, NOT_TESTABLE)


def rows_of(ledger: Path) -> list[list[str]]:
    """The cells of a ledger's table, headings first, without the separator row."""
    lines = [line for line in ledger.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines]
    return [cells[0], *cells[2:]]


@pytest.mark.parametrize("ledger", LEDGERS, ids=lambda path: path.stem)
def test_a_ledger_has_a_line_and_a_verdict_for_each_claim_of_its_sweep(ledger: Path) -> None:
    claims = safe_load((SWEEPS / f"{ledger.stem}.yaml").read_text())["sweep"]["claims"]
    assert ledger.read_text().startswith(f"# {ledger.stem}: ") and f"`run -m +sweep={ledger.stem}" in ledger.read_text()
    titles, *lines = rows_of(ledger)
    assert titles == [*COLUMNS]
    assert [line[0] for line in lines] == [claim["claim"] for claim in claims], "make it again with run compare"
    for line, claim in zip(lines, claims):
        assert str(claim["source"]) in line[1]
        assert line[4].startswith(tuple(f"**{verdict}" for verdict in VERDICTS))
        assert all(objection in line[5] for objection in claim.get("objections") or [])


def test_every_ledger_is_linked_from_the_page_on_sweeps() -> None:
    page = (SWEEPS / "README.md").read_text()
    assert LEDGERS and all(f"(ledger/{ledger.name})" in page for ledger in LEDGERS)
