"""Does the tokenizer fit the training texts? Checks for unknown pieces, and for the rules of another language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from data.errors import DataError
from data.inputs.added_tokens import added_notes
from data.inputs.hashed_words import HashedWords, lowered
from data.inputs.language_case import TURKISH
from data.inputs.letters import has_vowel_signs
from data.inputs.tokenizer import PieceTokenizer, Tokenizer
from data.inputs.tokenizer_files import drops_beginnings
from data.inputs.trimmed import count_tokens
from data.inputs.truncation import END
from data.settings import DataSettings
from data.sources.raw import RawSplit
from data.splits import TokenSplit
from data.text_facts import sample_texts

NOTED, STRESSED, REFUSED = 0.01, 0.05, 0.3  # shares of unknown pieces
LOOKED_AT = 500  # number of texts sampled
DOTLESS = 0.005  # above this share of ı among letters, texts are Turkish or Azerbaijani: 3 to 5 % there, 0 elsewhere
CAPITALS, SMALL = "IŞIK ISI İL", "ışık ısı il"  # the same Turkish words in upper and lower case
APART = "IŞIK and ışık as different words. Try: data.lower=tr"
SIGNED = "कु"  # a letter with a vowel sign below it
ACCENTED, STRIPPED = "çağrı öğle şu", "cagrı ogle su"


def fit_notes(raw: RawSplit, train: TokenSplit, tokenizer: Tokenizer, settings: DataSettings) -> list[str]:
    """Return notes on how the tokenizer fits the training texts; DataError if it cannot read them.

    raw, train: the training rows before and after tokenising.
    """
    found = unknown_note(train, tokenizer)
    texts = list(sample_texts(raw, LOOKED_AT)) if isinstance(tokenizer, PieceTokenizer | HashedWords) else []
    notes = [*([found] if found else []), *case_notes(texts, tokenizer, settings.lower), *sign_notes(texts, tokenizer)]
    notes += side_notes(train.truncated if settings.truncate == END else 0, tokenizer)
    return notes + added_notes(np.asarray(train.tokens), tokenizer, settings.added_tokens)


def unknown_share(tokens: np.ndarray, tokenizer: Tokenizer) -> float | None:
    """Return the share of unknown pieces, special tokens excluded; None if the tokenizer has no token only for them.

    tokens: those of all rows, end to end.
    """
    if not isinstance(tokenizer, PieceTokenizer) or "unk_token" not in tokenizer.names:
        return None
    ids = {key: tokenizer.backend.token_to_id(name) for key, name in tokenizer.names.items()}
    if ids["unk_token"] in (ids.get(key) for key in ("cls_token", "sep_token", "bos_token", "eos_token")):
        return None  # as in OPT, in which </s> also begins each text
    counts = count_tokens(tokens, tokenizer.vocab_size)
    unknown = int(counts[ids["unk_token"]])
    special = sum(int(counts[ids[key]]) for key in ("cls_token", "sep_token", "pad_token") if key in ids)
    return unknown / max(1, int(counts.sum()) - special)


def unknown_note(train: TokenSplit, tokenizer: Tokenizer) -> str | None:
    """Return a note if more than 1 % of the training texts' pieces are unknown to the tokenizer.

    Raises DataError above 30 %: a model would learn little more than the positions of the unknown pieces.
    """
    share = unknown_share(train.tokens, tokenizer)
    if share is None or share <= NOTED:
        return None
    assert isinstance(tokenizer, PieceTokenizer), "others know every word"
    name, is_own = tokenizer.names["unk_token"], tokenizer.source == "train"
    cure = "Try: " + ("a larger model.vocab_size=" if is_own else "model.tokenizer=train, or a model of this language")
    said = f"{share:.1%} of the training texts' pieces are {name}: the tokenizer {tokenizer.source} does not know them"
    if share > REFUSED:
        raise DataError(f"{said}, so a model could not read these texts. {cure}")
    return f"{said}{', which costs accuracy' if share > STRESSED else ''}. {cure}"


def case_notes(texts: Iterable[str], tokenizer: Tokenizer, language: str | None) -> list[str]:
    """Return notes on a tokenizer that reads capitalised Turkish words as different words, or strips Turkish accents.

    texts: some of the training texts; language: data.lower.
    """
    if isinstance(tokenizer, HashedWords):
        is_apart = lowered(CAPITALS, tokenizer.language) != lowered(SMALL, tokenizer.language)
        return [f"the texts are Turkish, but the model reads {APART}"] if is_apart and is_turkish(texts) else []
    if not isinstance(tokenizer, PieceTokenizer):
        return []
    if language == TURKISH:
        if _ids(tokenizer, ACCENTED) != _ids(tokenizer, STRIPPED):
            return []
        return [
            f"the tokenizer {tokenizer.source} strips accents (ş is read as s, ğ as g), so different words of Turkish "
            "become one. Try: model.tokenizer=train, or a model of this language"
        ]
    if _ids(tokenizer, "ABC") != _ids(tokenizer, "abc") or _ids(tokenizer, CAPITALS) == _ids(tokenizer, SMALL):
        return []
    if not is_turkish(texts):
        return []
    return [f"the texts are Turkish, but the tokenizer {tokenizer.source} reads {APART}"]


def sign_notes(texts: Iterable[str], tokenizer: Tokenizer) -> list[str]:
    """Return a note on a tokenizer that drops the vowel signs of Hindi, Thai and the like; texts: training texts."""
    if not isinstance(tokenizer, PieceTokenizer) or tokenizer.backend.normalizer is None:
        return []
    if tokenizer.backend.normalizer.normalize_str(SIGNED) == SIGNED:
        return []
    if not has_vowel_signs(Counter(chain.from_iterable(texts))):
        return []
    return [
        f"the tokenizer {tokenizer.source} drops vowel signs as if they were accents, so different words of these "
        "texts become one. Try: model.tokenizer=train, or a model of this language"
    ]


def side_notes(rows: int, tokenizer: Tokenizer) -> list[str]:
    """Return a note on a tokenizer that is meant to drop the beginning of long texts; rows: that lose their end."""
    if not rows or not isinstance(tokenizer, PieceTokenizer) or tokenizer.source == "train":
        return []
    if not drops_beginnings(tokenizer.source):
        return []
    return [
        f"the tokenizer {tokenizer.source} is meant to drop the beginning of a long text (truncation_side=left), but "
        "its end is dropped here. Try: data.truncate=middle, which keeps both ends, or a larger data.max_length"
    ]


def is_turkish(texts: Iterable[str]) -> bool:
    """Return whether the texts are Turkish or Azerbaijani: no other common alphabet has the letter ı."""
    counts = Counter[str]()
    for text in texts:
        counts.update(text)
    letters = sum(count for letter, count in counts.items() if letter.isalpha())
    return counts["ı"] > DOTLESS * letters


def _ids(tokenizer: PieceTokenizer, text: str) -> Sequence[int]:
    found: list[int] = tokenizer.backend.encode(text, add_special_tokens=False).ids
    return found
