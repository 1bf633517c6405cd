"""Which words led to an answer: exact if scores are sums over n-grams, else by leaving out each word.

    reasons = find_reasons(predictor, ["a lovely film"], predictor(["a lovely film"])[0])

The first gives what a part adds to the logits, as a page of `format=page` does; the second how much the share of the
answer falls without a word. These are not parts of a sum: of two words that say the same, each may seem to do nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from data.inputs.split_text import split_words
from runner.deploy.answer_table import Answer
from runner.deploy.bundle.characters import MODULUS, START
from runner.deploy.bundle.predict import PRINT_FACTOR, TOKEN_FACTOR, Ngram
from runner.deploy.cascade import CascadePredictor
from runner.deploy.packed_predictor import PackedPredictor
from runner.deploy.predictors import AnyPredictor, KeepsTime
from runner.deploy.rejecting import RejectingPredictor

EXACT, LEFT_OUT = "exact", "leave one word out"
UNITS = {
    EXACT: "what it adds to the logit of the answer",
    LEFT_OUT: "how much the answer's score falls without the word",
}
MOST_WORDS = 64  # that are left out one by one, in a question
BATCH = 32  # questions at a time
MOST_PARTS = 200  # of an exact answer, the strongest


@dataclass(frozen=True)
class Part:
    """A part of a question. field: of which text, 0 or 1. spans: its character offsets, end exclusive."""

    text: str
    field: int
    spans: list[tuple[int, int]]
    adds: float  # positive: for the answer


@dataclass(frozen=True)
class Reasons:
    """The parts of a question that matter, the strongest first; method: EXACT or LEFT_OUT."""

    method: str
    unit: str
    parts: list[Part]


def find_reasons(
    predictor: AnyPredictor, texts: Sequence[str], answer: Answer, max_ms: float | None = None
) -> Reasons | None:
    """Return the reasons for an answer to a text, or to a pair of texts; None if an answer is of another form.

    max_ms: the time limit of the answer, if it differs from the predictor's own.
    """
    predictor = predictor.model_of(answer) if isinstance(predictor, CascadePredictor) else predictor
    method, ngrams = method_of(predictor), ngrams_of(predictor)
    if not method:
        return None
    if method == EXACT and ngrams is not None:
        parts = exact_parts(ngrams, texts[0], most_probable(answer))[:MOST_PARTS]
    else:
        parts = left_out(predictor, texts, answer, max_ms)
    return Reasons(method, UNITS[method], sorted(parts, key=lambda part: -abs(part.adds)))


def method_of(predictor: AnyPredictor) -> str:
    """Return the method of `find_reasons` for this model's answers; empty if it finds none."""
    if predictor.answer_fields[0].type not in ("label", "number") or predictor.request_fields[0].type == "sound":
        return ""
    return EXACT if ngrams_of(predictor) is not None and len(predictor.request_fields) == 1 else LEFT_OUT


def ngrams_of(predictor: AnyPredictor) -> Ngram | None:
    """Return the linear model on n-grams that answers; None if it is another model."""
    inner = predictor.inner if isinstance(predictor, RejectingPredictor) else predictor
    scorer = inner.model._scorer if isinstance(inner, PackedPredictor) else None
    return scorer if isinstance(scorer, Ngram) else None


def most_probable(answer: Answer) -> int:
    """Return the index of an answer's most probable label, which calibration may have changed; 0 for a number."""
    shares = list(answer.get("probabilities", {}).values())
    return int(np.argmax(shares)) if shares else 0


def exact_parts(model: Ngram, text: str, best: int) -> list[Part]:
    """Return each n-gram of a text, and how much it adds to the logit of the class `best`.

    With more than two classes: to that logit less the mean of all, so that a part can speak against the answer.
    """
    found = hits(model, text)
    if not found:
        return []
    rows = np.array(list(found))
    weights = model.rows[:, rows].astype(np.float64) * model.scale[:, None] / model.temperature  # (K', n-grams)
    if model.is_mean:
        weights /= len(rows)
    if len(weights) == 1:
        adds = weights[0] if not model.is_binary or best == 1 else -weights[0]
    else:
        adds = weights[best] - weights.mean(axis=0)
    parts = [Part(name, 0, spans, float(value)) for (name, spans), value in zip(found.values(), adds)]
    return sorted((part for part in parts if part.adds), key=lambda part: -abs(part.adds))


def hits(model: Ngram, text: str) -> dict[int, tuple[str, list[tuple[int, int]]]]:
    """Return the n-grams of a text that the model has, by their row: their text, and where they are."""
    words = model.tokens(text)[: model.most]
    places = [word.span() for word in model.pattern.finditer(text)][: model.most]
    if len(places) != len(words):  # lower case has made other words of them
        places = [(0, 0)] * len(words)
    grams = [*word_grams(model, words, places), *character_grams(model, words, places)]
    prints = np.array([hashed for _, hashed, _ in grams], np.uint32) * PRINT_FACTOR >> model.shift
    rows = model.prints.searchsorted(prints)
    is_hit = model.prints.take(rows, mode="clip") == prints
    found: dict[int, tuple[str, list[tuple[int, int]]]] = {}
    for place in np.flatnonzero(is_hit).tolist():
        name, _, span = grams[place]
        spans = found.setdefault(int(rows[place]), (name, []))[1]
        if span[1] > span[0]:
            spans.append(span)
    return found


Found = tuple[str, int, tuple[int, int]]  # an n-gram, its hash, its place


def word_grams(model: Ngram, words: list[str], places: list[tuple[int, int]]) -> Iterator[Found]:
    """Yield the n-grams of words."""
    hashes = model.hash(words)
    for length in range(1, model.grams + 1):
        for first in range(len(words) - length + 1):
            hashed = int(hashes[first])
            for other in hashes[first + 1 : first + length]:
                hashed = (hashed * int(TOKEN_FACTOR) + int(other)) % MODULUS
            span = places[first][0], places[first + length - 1][1]
            yield " ".join(words[first : first + length]), hashed, span


def character_grams(model: Ngram, words: list[str], places: list[tuple[int, int]]) -> Iterator[Found]:
    """Yield the n-grams of characters inside words; `<` and `>` are the ends of a word."""
    if model.characters is None:
        return
    for word, (begin, end) in zip(words, places):
        marked = f"<{word}>" if len(word) > 1 else ""
        for length in range(model.characters.low, model.characters.high + 1):
            for first in range(len(marked) - length + 1):
                gram = marked[first : first + length]
                inside = begin + max(first - 1, 0), min(begin + first - 1 + length, end)
                yield gram, (START + zlib.crc32(gram.encode("utf-8", "replace")) + 1) % MODULUS, inside


def left_out(predictor: AnyPredictor, texts: Sequence[str], answer: Answer, max_ms: float | None = None) -> list[Part]:
    """Return by how much the share of the answer, or the number, falls without each of the first MOST_WORDS words."""
    places = [(field, *span) for field, text in enumerate(texts) for span in split_words(text)[1].tolist()][:MOST_WORDS]
    if not places:
        return []
    questions = [[*texts] for _ in places]
    for question, (field, start, end) in zip(questions, places):
        question[field] = texts[field][:start] + texts[field][end:]
    columns = list(zip(*questions))
    pairs = list(columns[1]) if len(columns) > 1 else None
    if max_ms is not None and isinstance(predictor, KeepsTime):  # at the lengths of the answer
        asked = predictor.ask(list(columns[0]), pairs)
        others = predictor.answers_within(asked, [max_ms] * len(questions), BATCH)
    else:
        others = predictor(list(columns[0]), pairs, BATCH)
    whole = share_of(answer, answer)
    return [
        Part(texts[field][start:end], field, [(start, end)], whole - share_of(other, answer))
        for (field, start, end), other in zip(places, others)
    ]


def share_of(other: Answer, answer: Answer) -> float:
    """Return the share that another answer gives to the most probable label of this one; for numbers, the number."""
    if "probabilities" not in answer:
        return float(other["prediction"])
    label = max(answer["probabilities"], key=answer["probabilities"].__getitem__)
    return float(other["probabilities"][label])
