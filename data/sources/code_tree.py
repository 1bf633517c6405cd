"""The tree of a dataset's codes: a CSV, TSV, JSON or Parquet file with a column `code` and a column `parent`.

A code without a parent is a root; every parent must itself be a code in the file. The file is a local one, or one of
the hub dataset's repository, such as graph/nodes.parquet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from data.codes import CodePaths, end_to_end
from data.errors import DataError, MissingColumn
from data.settings import DataSettings
from data.sources.cells import as_text
from data.sources.formats import read_rows
from data.sources.hub_status import hub_endpoint, why_unavailable
from data.sources.local_files import existing_file
from data.sources.options import ReadOptions, format_of

CODE, PARENT = "code", "parent"  # the columns
ROOT = -1  # the parent of a root
SHOWN = 5  # codes named in a message


@dataclass(frozen=True)
class CodeTree:
    """The nodes of a tree by their codes, numbered from 0, and the parent of each node."""

    numbers: dict[str, int]
    parents: np.ndarray  # (nodes,) int64; ROOT for a root

    @cached_property
    def edges(self) -> np.ndarray:
        """Each node and its parent, (2, edges) int64."""
        below = np.flatnonzero(self.parents != ROOT)
        return np.stack([below, self.parents[below]])

    def find(self, code: str) -> int | None:
        """Return the node of a code, or of its longest prefix in the tree; None if no prefix is in it."""
        ends = range(len(code), 0, -1)
        return next((self.numbers[code[:end]] for end in ends if code[:end] in self.numbers), None)

    def path(self, node: int) -> list[int]:
        """Return the nodes above a node, the nearest first."""
        found = list[int]()
        while (node := int(self.parents[node])) != ROOT:
            found.append(node)
        return found

    def paths_of(self, rows: Iterable[list[str]], unknown: Counter[str]) -> CodePaths:
        """Return the codes of rows as nodes, and count in `unknown` those that the tree does not have.

        A code without any known prefix is left out.
        """
        codes, paths = list[list[int]](), list[list[int]]()
        for row in rows:
            unknown.update(code for code in row if code not in self.numbers)
            found = [(code, node) for code in row if (node := self.find(code)) is not None]
            codes.append([node for _, node in found])
            paths.append([above for code, node in found for above in self._above(code, node)])
        return CodePaths(*end_to_end(paths), *end_to_end(codes), len(self.numbers), self.edges)

    def _above(self, code: str, node: int) -> list[int]:
        """Return the nodes above a code; for an unknown code these begin with `node`, its longest known prefix."""
        return self.path(node) if code in self.numbers else [node, *self.path(node)]


def read_tree(settings: DataSettings) -> CodeTree:
    """Read the tree that data.tree names; DataError that lists wrong nodes."""
    assert settings.tree is not None, "asked for only with a tree"
    return tree_of_file(_tree_file(settings), f"data.tree={settings.tree}")


def tree_of_file(path: Path, where: str) -> CodeTree:
    """Read a tree from a file; where: its name in messages."""
    above = dict[str, str]()
    options = ReadOptions({CODE: CODE, PARENT: PARENT}, only_wanted=True)
    try:
        for number, row in read_rows(path, format_of(path) or "", options):
            code, parent = (_cell(row.get(column), f"{where} row {number}") for column in (CODE, PARENT))
            if not code:
                raise DataError(f"{where} row {number} has no {CODE}. Fix that row")
            if above.setdefault(code, parent) != parent:
                raise DataError(
                    f"{where}: {code!r} has two parents, {above[code]!r} and {parent!r} (row {number}); in a tree a "
                    "node has one. Leave one of them out"
                )
    except MissingColumn as error:
        raise DataError(
            f"{where} needs the columns {CODE!r} and {PARENT!r}, one row a node: {error}".split(" Try: ")[0]
            + f" Rename its columns to {CODE} and {PARENT}"
        ) from error
    if not above:
        raise DataError(f"{where} has no rows. Try: a file with the columns {CODE} and {PARENT}, one row a node")
    _check(above, where)
    numbers = {code: number for number, code in enumerate(above)}
    return CodeTree(numbers, np.array([numbers[parent] if parent else ROOT for parent in above.values()], np.int64))


def _cell(value: object, where: str) -> str:
    """Return a cell as text without surrounding blanks; "" for an empty one."""
    return "" if value is None or value != value else as_text(value, where, "data.tree").strip()


def _check(above: dict[str, str], where: str) -> None:
    """Raise DataError for nodes from which no path leads to a root; above: the parent of each code, "" for a root."""
    if absent := [code for code, parent in above.items() if parent and parent not in above]:
        shown = ", ".join(f"{above[code]!r} of {code!r}" for code in absent[:SHOWN])
        more = f" and {len(absent) - SHOWN} more" if len(absent) > SHOWN else ""
        raise DataError(
            f"{where}: the parents {shown}{more} have no row. Add a row for each; one with an empty {PARENT} is a root"
        )
    is_rooted = {"": True}
    for code in above:
        walked = list[str]()
        while code not in is_rooted:
            is_rooted[code] = False  # until the root is reached
            walked.append(code)
            code = above[code]
        if not is_rooted[code]:
            circle = [*walked[walked.index(code) :], code]
            shown = " -> ".join(circle if len(circle) <= SHOWN + 1 else [*circle[:SHOWN], "...", code])
            lacks = "" if "" in above.values() else f", and no code has an empty {PARENT}, which a root has"
            raise DataError(f"{where}: {shown} is a cycle{lacks}. Give one of them another parent, or none")
        is_rooted.update(dict.fromkeys(walked, True))


def _tree_file(settings: DataSettings) -> Path:
    """Return the file of the tree: a local one, or one downloaded from the hub dataset's repository."""
    name = settings.tree or ""
    if settings.source != "hub" or Path(name).expanduser().is_file():
        return existing_file(name, "data.tree")
    import httpx2
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(settings.id or "", name, repo_type="dataset"))
    except (OSError, httpx2.HTTPError, HfHubHTTPError, HFValidationError, ValueError) as error:
        if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
            raise DataError(
                f"data.tree={name}: neither a file here nor one of the dataset {settings.id}. Try: data.tree=<a file "
                f"with the columns {CODE} and {PARENT}>"
            ) from error
        raise DataError(
            f"data.tree={name} of {settings.id} is unavailable from {hub_endpoint()[0]}: {why_unavailable(error)}. "
            f"Try: data.tree=<your copy>"
        ) from error
