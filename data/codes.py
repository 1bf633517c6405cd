"""The codes of rows as nodes of a tree: extra information that is available in training but not at inference."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class CodePaths:
    """The codes of each row and the nodes above them, each as one flat array over all rows.

    A code that is not in the tree is replaced by its longest prefix that is; the path then begins with that node.
    """

    nodes: np.ndarray  # (n,) int64: the nodes above each of a row's codes, up to the root
    offsets: np.ndarray  # (rows + 1,) int64: those of row i are nodes[offsets[i]:offsets[i + 1]]
    codes: np.ndarray  # (m,) int64: the nodes of the codes themselves
    code_offsets: np.ndarray  # (rows + 1,) int64
    num_nodes: int
    edges: np.ndarray  # (2, E) int64: a node and the one above it

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.offsets) - 1

    @cached_property
    def has_codes(self) -> np.ndarray:
        """Which rows have a code, (rows,) bool."""
        return np.diff(self.code_offsets) > 0

    def take(self, rows: np.ndarray) -> CodePaths:
        """Return the codes of these rows, in their order."""
        nodes, offsets = _taken(self.nodes, self.offsets, rows)
        codes, code_offsets = _taken(self.codes, self.code_offsets, rows)
        return replace(self, nodes=nodes, offsets=offsets, codes=codes, code_offsets=code_offsets)

    def collate(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return these rows as arguments of a code encoder's forward."""
        found = self.take(rows)
        return {
            "paths": found.nodes,
            "path_offsets": found.offsets,
            "codes": found.codes,
            "code_offsets": found.code_offsets,
        }

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of the codes of all rows and of the tree."""
        digest = hashlib.sha256(str(self.num_nodes).encode())
        for array in (self.nodes, self.offsets, self.codes, self.code_offsets, self.edges):
            digest.update(str(array.shape).encode() + np.ascontiguousarray(array, np.int64).tobytes())
        return digest.hexdigest()


def end_to_end(parts: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Concatenate lists of numbers; return the array and where each list begins, (n,) and (lists + 1,) int64."""
    values = np.fromiter((value for part in parts for value in part), np.int64)
    return values, np.cumsum([0, *map(len, parts)], dtype=np.int64)


def _taken(values: np.ndarray, offsets: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the concatenated values of these rows, and where each row begins."""
    starts, counts = offsets[rows], np.diff(offsets)[rows]
    ends = np.cumsum(counts)
    places = np.arange(int(counts.sum())) + np.repeat(starts - (ends - counts), counts)
    return values[places], np.concatenate([[0], ends]).astype(np.int64)
