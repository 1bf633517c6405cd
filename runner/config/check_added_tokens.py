"""Mistakes in data.added_tokens, the texts that a tokenizer keeps whole. Nothing heavy is imported."""

from __future__ import annotations

import re

from runner.schema import Settings
from runner.tasks import named_task

MOST = 50  # far more than any masking of names and numbers needs
EXAMPLE = "Try: 'data.added_tokens=[\"[NAME]\"]'"


def added_token_conflicts(settings: Settings) -> list[str]:
    """Return one line for each mistake."""
    data, tokens = settings.data, settings.data.added_tokens
    if not tokens:
        return []
    named = f"data.added_tokens=[{','.join(tokens)}]"
    task = named_task(settings.task, data)
    if data.audio is not None:
        return [f"{named} is for texts, but data.audio={data.audio} gives sounds. Try: 'data.added_tokens=[]'"]
    if task and task.input == "words":
        return [f"{named} keeps parts of texts whole, but task={task.name} reads words. Try: 'data.added_tokens=[]'"]
    if len(tokens) > MOST:
        return [f"data.added_tokens has {len(tokens)} texts, but at most {MOST} are allowed. Leave some out"]
    odd = [token for token in tokens if not token or re.search(r"\s", token)]
    found = [f"data.added_tokens: {token!r} is empty or has a space in it. {EXAMPLE}" for token in odd]
    repeated = [token for token in dict.fromkeys(tokens) if tokens.count(token) > 1]
    found += [f"data.added_tokens: {token} is given twice. Leave one out" for token in repeated]
    parts = [(one, other) for one in tokens for other in tokens if one and one != other and one in other]
    return found + [f"data.added_tokens: {one} is part of {other}. Leave one of them out" for one, other in parts]
