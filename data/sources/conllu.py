"""Sentences of a CoNLL-U file with their dependency trees, checked as they are read.

    for sentence in read_conllu(Path("en_ewt-ud-train.conllu")): sentence.words, sentence.heads

Format: https://universaldependencies.org/format.html, with ten tab-separated columns. Lines of multiword tokens (3-4)
and of empty nodes (5.1) are skipped, because the nodes of the tree are words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from data.errors import DataError

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
NOTHING = "_"  # a cell without a value
ROOT = -1  # the head of the root, in `Sentence.heads`


@dataclass(frozen=True)
class Sentence:
    """The words of a sentence and their tree; every tuple has one entry per word."""

    words: tuple[str, ...]
    upos: tuple[str, ...]  # the universal part of speech; "_" if the file has none
    features: tuple[dict[str, str], ...]  # such as {"Tense": "Past"}
    heads: tuple[int, ...]  # the index of each word's head, from 0; ROOT for the root. () if the file has no tree
    relations: tuple[str, ...]  # of each word to its head, including the subtype, such as nsubj:pass
    line: int = 0  # line number of the first word, from 1

    @property
    def text(self) -> str:
        """The words joined by spaces."""
        return " ".join(self.words)

    def __len__(self) -> int:
        return len(self.words)


def read_conllu(path: Path) -> Iterator[Sentence]:
    """Yield the sentences of a file. Raises DataError, with the line, for wrong columns, heads or trees."""
    lines, begun = list[list[str]](), 0
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, 1):
                text = line.rstrip("\r\n")
                if text.startswith("#"):
                    continue
                if text.strip():
                    begun = begun if lines else number
                    lines.append(_cells(text, path, number))
                elif lines:
                    yield from _sentence(lines, path, begun)
                    lines = []
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8, which CoNLL-U requires ({error}). Convert it") from error
    if lines:
        yield from _sentence(lines, path, begun)


def _cells(text: str, path: Path, number: int) -> list[str]:
    cells = text.split("\t")
    if len(cells) != len(COLUMNS):
        raise DataError(
            f"{path} line {number} has {len(cells)} tab-separated columns ({text!r:.60}), but CoNLL-U has "
            f"{len(COLUMNS)}: {', '.join(COLUMNS)}. Fix that line, or name a CoNLL-U file"
        )
    return cells


def _sentence(lines: Sequence[list[str]], path: Path, begun: int) -> Iterator[Sentence]:
    """Yield the sentence of these lines; nothing if none of them is a word."""
    words = [cells for cells in lines if "-" not in cells[0] and "." not in cells[0]]
    if not words:
        return
    where = f"{path}, the sentence from line {begun}"
    if [cells[0] for cells in words] != [str(number) for number in range(1, len(words) + 1)]:
        found = " ".join(cells[0] for cells in words)
        raise DataError(f"{where}: its words are numbered {found:.60}, not 1 to {len(words)}. Fix the column ID")
    yield Sentence(
        tuple(cells[1] for cells in words),
        tuple(cells[3] for cells in words),
        tuple(_features(cells[5], where) for cells in words),
        _heads([cells[6] for cells in words], where),
        tuple(cells[7] for cells in words),
        begun,
    )


def _features(cell: str, where: str) -> dict[str, str]:
    if cell in (NOTHING, ""):
        return {}
    pairs = [pair.partition("=") for pair in cell.split("|")]
    if not all(name and equals for name, equals, _ in pairs):
        raise DataError(f"{where}: FEATS {cell!r:.60} is not a list like Number=Sing|Person=3. Fix that cell")
    return {name: value for name, _, value in pairs}


def _heads(cells: Sequence[str], where: str) -> tuple[int, ...]:
    """Return the indices of the heads of a tree; () if no head is given."""
    if all(cell == NOTHING for cell in cells):
        return ()
    for number, cell in enumerate(cells, 1):
        if not cell.isdecimal() or int(cell) > len(cells):
            raise DataError(
                f"{where}: the head of word {number} is {cell!r}, but the sentence has the words 1 to {len(cells)} "
                "(0: the root). Fix the column HEAD"
            )
    heads = tuple(int(cell) - 1 for cell in cells)
    if heads.count(ROOT) != 1:
        roots = ", ".join(str(number) for number, head in enumerate(heads, 1) if head == ROOT) or "none"
        raise DataError(f"{where}: a tree has one root (head 0), but this one has: {roots}. Fix the column HEAD")
    if loose := _in_cycle(heads):
        raise DataError(f"{where}: the heads of words {loose} form a cycle, not a tree. Fix the column HEAD")
    return heads


def _in_cycle(heads: Sequence[int]) -> str:
    """Return the numbers of words whose heads never reach the root; empty for a tree."""
    reaches = {heads.index(ROOT)}
    for _ in heads:
        reaches |= {word for word, head in enumerate(heads) if head in reaches}
    return ", ".join(str(word + 1) for word in range(len(heads)) if word not in reaches)
