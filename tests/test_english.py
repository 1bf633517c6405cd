"""Code, YAML and pages avoid odd words, and docstrings can be understood on their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPO

PLAIN = {
    r"\banew\b": "again, from scratch",
    r"\bmend(s|ed|ing)?\b": "fix, repair",
    r"\bcannot be had\b": "is unavailable",
    r"\bleave (it|them|this|that) away\b": "remove it, leave it out",
    r"\bcommonest\b": "the majority class",
    r"\bof the disk\b": "say which file or folder",
    r"\bthe same of\b": "say what it is",
    r"\bnumbers that are not zero\b": "non-zero weights",
    r"\banswers? otherwise\b": "answers differently",
}
ROOMS = ("conf", "data", "models", "runner", "sweeps", "tests", ".ci")
ENDINGS = {".py", ".yaml", ".md", ".toml", ".html", ".css", ".js"}


# Openings of docstrings that only make sense together with the line above.
LEANING = re.compile(r'^[ \t]*"""((?:What|The same|Their|Those|It itself|Its)\b[^\n]{0,60})', re.M)


def texts() -> Iterator[Path]:
    """Yield all of our text files except this one."""
    below = [path for room in ROOMS for path in (REPO / room).rglob("*") if path.suffix in ENDINGS]
    top = [path for path in REPO.iterdir() if path.suffix in ENDINGS or path.name == "Makefile"]
    return (path for path in sorted([*below, *top]) if path != Path(__file__))


def stumbles(text: str) -> list[str]:
    """Return one line per word of PLAIN that is found, even if a phrase is split over two lines."""
    whole = re.sub(r"\s*\n\s*#?\s*", " ", text)
    return [
        f"{found[0]!r}, better: {plain}" for word, plain in PLAIN.items() for found in re.finditer(word, whole, re.I)
    ]


def test_every_text_is_in_plain_words() -> None:
    found = {path.relative_to(REPO).as_posix(): stumbles(path.read_text(encoding="utf-8")) for path in texts()}
    wrong = {name: words for name, words in found.items() if words}
    assert not wrong, "\n".join(f"{name}: {'; '.join(words)}" for name, words in wrong.items())


@pytest.mark.parametrize(
    "text", ["Start anew.", "Mend that YAML", "# the commonest\n# answer", "cannot\n    be had", "The same of a row"]
)
def test_a_hard_word_is_found(text: str) -> None:
    assert len(stumbles(text)) == 1


def test_every_docstring_can_be_read_alone() -> None:
    paths = [path for path in texts() if path.suffix == ".py"]
    found = {path.relative_to(REPO).as_posix(): LEANING.findall(path.read_text(encoding="utf-8")) for path in paths}
    wrong = {name: lines for name, lines in found.items() if lines}
    assert not wrong, "\n".join(f"{name}: {lines}" for name, lines in wrong.items())


@pytest.mark.parametrize("line", ['"""What a job gets."""', '    """The same for a run."""', '"""Their mean."""'])
def test_a_docstring_that_leans_is_found(line: str) -> None:
    assert LEANING.search(line)


@pytest.mark.parametrize("text", ["amend", "a new run", "on the disk", "recommended"])
def test_other_words_are_left_alone(text: str) -> None:
    assert not stumbles(text)
