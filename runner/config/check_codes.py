"""Refuses mistakes in codes given with texts and in data.labelled_rows, before any row is read."""

from __future__ import annotations

from data.settings import DataSettings


def code_conflicts(data: DataSettings) -> list[str]:
    """Return one line for each mistake in data.codes, data.tree and data.labelled_rows, with the cure."""
    found = []
    if data.codes and not data.tree:
        found.append(
            f"data.codes={data.codes}: codes are learnt through the nodes above them, but no tree gives those. "
            "Try: data.tree=<a file with the columns code and parent>"
        )
    if data.tree and not data.codes:
        found.append(
            f"data.tree={data.tree}: no column holds the codes of its nodes. Try: data.codes=<a column of codes>"
        )
    if data.codes and data.source == "demo":
        found.append(f"data.codes={data.codes}: data={data.name} has no codes. Try: data=icd10-severity, or data=files")
    if data.labelled_rows is not None and data.label is None:
        found.append(f"data.labelled_rows={data.labelled_rows}: data.label=null reads no labels. Leave it out")
    return found
