"""Named steps that clean a text before it is tokenised; a tokenizer records the names of its steps.

They are saved with the tokenizer, so whatever opens a saved model cleans its inputs like the training rows. Rows keep
their original texts: only the tokenised text is cleaned. Standard library only, since a bundle has a copy of this file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from data.settings import DataSettings

ENTRY = "cleaning"  # of tokenizer_config.json and words.json in a saved folder, of model.bin and model.json
AFTER = " after "  # separates the fingerprint of a tokenizer from its steps
LINK = re.compile(r"(?:\bhttps?(?:://|:?/?…)|\bwww\.)\S*", re.IGNORECASE)
USER = re.compile(r"(?<![\w@])@\w+")
ENDS = ".,;:!?…)]}\"'”’»"  # after a link these belong to the sentence


def clean_tweet(text: str) -> str:
    """Return a text with links as HTTPURL and user names as @USER, as in BERTweet (Nguyen et al. 2020)."""
    return USER.sub("@USER", LINK.sub(_link, text))


def _link(found: re.Match[str]) -> str:
    link = found.group()
    return "HTTPURL" + link[len(link.rstrip(ENDS)) :]


STEPS: dict[str, Callable[[str], str]] = {"tweets": clean_tweet}


def cleaning_of(settings: DataSettings) -> tuple[str, ...]:
    """Return the names of the steps that the settings of a dataset ask for, in their order."""
    return (settings.clean,) if settings.clean else ()


def clean_text(text: str, steps: Iterable[str]) -> str:
    """Return a text after applying these steps in order."""
    for step in steps:
        text = STEPS[step](text)
    return text


def clean_texts(texts: Sequence[str], steps: Sequence[str]) -> list[str]:
    """Return texts after applying these steps in order."""
    return [clean_text(text, steps) for text in texts] if steps else list(texts)


def known_steps(entry: object) -> tuple[str, ...]:
    """Return the steps that the entry of a saved file lists; ValueError for other content, or an unknown step."""
    found = tuple(entry) if isinstance(entry, list | tuple) else ("?",)
    unknown = [str(step) for step in found if step not in STEPS]
    if unknown:
        raise ValueError(f"cleans texts by {', '.join(unknown)}; the known steps are {', '.join(STEPS)}")
    return found


def marked(fingerprint: str, steps: Sequence[str]) -> str:
    """Return a tokenizer's fingerprint with these cleaning steps included; unchanged without steps."""
    return unmarked(fingerprint) + (AFTER + ",".join(steps) if steps else "")


def unmarked(fingerprint: str) -> str:
    """Return a tokenizer's fingerprint without cleaning steps; if equal, tokenizers have equal tokens."""
    return fingerprint.partition(AFTER)[0]
