"""Finds the class that each label word stands for, and the outputs of a model that mean entailment."""

from __future__ import annotations

from collections.abc import Sequence

from data.quoting import listed
from runner.errors import ConfigError
from runner.zero_shot.scores import MULTI

ENTAILMENT, CONTRADICTION = "entailment", ("contradiction", "not_entailment")


def entailment_places(labels: Sequence[str], source: str, mode: str) -> tuple[int, int | None]:
    """Return the positions of a model's outputs for entailment and contradiction, by name; None: it has no such output.

    labels: of the model's classes, whose order differs between models. Raises ConfigError for a model without a class
    called entailment, and in the mode multi for one without contradiction.
    """
    names = [label.lower() for label in labels]
    if ENTAILMENT not in names:
        found = listed(labels) or "numbers"
        raise ConfigError(
            f"{source} answers with {found}, but zero-shot needs a class called entailment. "
            "Try: run model=bert-small data=snli, and the id of that run"
        )
    other = next((names.index(name) for name in CONTRADICTION if name in names), None)
    if mode == MULTI and other is None:
        raise ConfigError(
            f"mode=multi: {source} has no class called contradiction ({listed(labels)}). Try: mode=single"
        )
    return names.index(ENTAILMENT), other


def parse_labels(text: str) -> tuple[list[str], dict[str, str]]:
    """Return the words of labels=[a,b], and of labels={class: word} the word of each class; both empty for ""."""
    inner = text.strip()
    if inner[:1] == "{" and inner[-1:] == "}":
        pairs = [part.partition(":") for part in inner[1:-1].split(",") if part.strip()]
        if any(not colon or not _unquoted(word) for _, colon, word in pairs):
            raise ConfigError(
                f"labels={text}: expected class: word for each. Try: 'labels={{negative: bad, positive: good}}'"
            )
        return [], {_unquoted(name): _unquoted(word) for name, _, word in pairs}
    inner = inner[1:-1] if inner[:1] == "[" and inner[-1:] == "]" else inner
    return [_unquoted(part) for part in inner.split(",") if part.strip()], {}


def _unquoted(text: str) -> str:
    return text.strip().strip("'\"")


def words_of_classes(text: str, classes: Sequence[str]) -> tuple[str, ...]:
    """Return the word for each class of the data, in id order.

    text: the option labels=; a word is assigned to the class with its name, or with a name that contains it (science
    for science/technology). If no word matches any class, they are assigned in the order of the classes. Without labels
    the names of the classes are the words. Raises ConfigError with both lists if they do not fit.
    """
    words, named = parse_labels(text)
    if not words and not named:
        return tuple(name.replace("_", " ") for name in classes)
    given = list(named) or words
    both = f"labels are {listed(given)}; the classes of the data are {listed(classes)}"
    meant = list(named.values()) or words
    if twice := next((word for word in meant if meant.count(word) > 1), None):
        raise ConfigError(f"run zero-shot: {twice!r} stands for two classes: {both}. Try: a different word for each")
    if len(given) != len(classes):
        raise ConfigError(
            f"run zero-shot: {len(given)} labels for {len(classes)} classes: {both}. Try: one label a class"
        )
    found = [_class_of(word, classes) for word in given]
    if sorted(place for place in found if place is not None) == list(range(len(classes))):
        words = list(named.values()) or words
        return tuple(words[found.index(place)] for place in range(len(classes)))
    if named or any(place is not None for place in found):
        example = ", ".join(f"{name}: {word}" for name, word in zip(classes, words or named.values()))
        raise ConfigError(
            f"run zero-shot: which label is for which class? The {both}. Try: 'labels={{{example}}}', with its word"
        )
    return tuple(words)


def check_meaning(words: Sequence[str], templates: Sequence[str]) -> None:
    """Raise ConfigError if no word has a letter and no template was given: "This text is about 0." means nothing."""
    if templates or any(character.isalpha() for word in words for character in word):
        return
    example = ", ".join(f"{word}: <a word>" for word in words[:3]) + (", ..." if len(words) > 3 else "")
    raise ConfigError(
        f"run zero-shot: the classes are called {listed(words)}, which says nothing about a text. "
        f"Try: 'labels={{{example}}}', or a template in which numbers have a meaning, as "
        "template='This review gives {} stars.'"
    )


def _class_of(word: str, classes: Sequence[str]) -> int | None:
    """Return the class with this name, or the only one with it as a part; None if there is none."""
    lowered, names = word.lower(), [name.lower() for name in classes]
    if lowered in names:
        return names.index(lowered)
    parts = [
        place for place, name in enumerate(names) if lowered in name.replace("_", "/").replace(" ", "/").split("/")
    ]
    return parts[0] if len(parts) == 1 else None
