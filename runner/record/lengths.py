"""The lengths that a search found for a run's model, as a table and as files; read from the model's config.json."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from models.compression.lengths.choice import Choice, choices_of, entry_of
from models.errors import ModelError
from runner.record.json_files import write_json

if TYPE_CHECKING:
    from rich.table import Table

NAME = "lengths"  # of the files


def read_lengths(folder: Path) -> tuple[list[Choice], list[float]]:
    """Return the choices of the model in a run's folder, cheapest first, and its own lengths, [] for all tokens."""
    try:
        config = json.loads((folder / "model" / "config.json").read_text(encoding="utf-8"))
        own = (entry_of(config) or {}).get("lengths") or []
        return choices_of(config), list(map(float, own))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ModelError):
        return [], []


def write_lengths(folder: Path) -> None:
    """Write lengths.json and lengths.csv beside the record of a run whose model has choices; nothing for others."""
    choices, own = read_lengths(folder)
    if not choices:
        return
    rows = [choice.to_json() | {"is_own": list(choice.lengths) == own} for choice in choices]
    write_json(folder / f"{NAME}.json", {"choices": rows})
    with (folder / f"{NAME}.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(row | {"lengths": " ".join(map(str, row["lengths"]))} for row in rows)


def lengths_table(folder: Path) -> Table | None:
    """Return the choices as a table for a terminal; None for a model without."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    choices, own = read_lengths(folder)
    if not choices:
        return None
    table = Table(title="lengths to choose from (length=, max_ms=)", title_justify="left", box=SIMPLE_HEAD)
    for column in ("multiply-adds", "score searched", "ms", "tokens that stay, by layer"):
        table.add_column(column, justify="left" if column.startswith("tokens") else "right")
    for choice in choices:
        kept = " ".join(f"{value:g}" for value in choice.lengths) or "all"
        mark = " (its own)" if list(choice.lengths) == own else ""
        ms = "" if choice.ms is None else f"{choice.ms:.2f}"
        table.add_row(f"{choice.share:.3f}", f"{choice.score:.4f}", ms, kept + mark)
    return table
