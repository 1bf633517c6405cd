"""Settings that tagging words forbids: one line for each, with the cure. Nothing heavy is imported."""

from __future__ import annotations

from data.settings import GROUP_RULES, DataSettings
from data.sources.columns import group_column, is_column_number

COLUMNS = "data.tokens=tokens data.tags=ner_tags"
NUMBERS = "data.tokens=0 data.tags=-1"


def tag_conflicts(data: DataSettings) -> list[str]:
    """Return one line for every setting of the data that tagging words forbids."""
    found = []
    if data.source != "demo":
        if not data.tags or data.tokens is None:
            return [_missing_columns(data)]
        found += _contradicting_columns(str(data.tokens), _tags(data), data.text)
    if data.label not in (None, DataSettings.label):
        cure = f"Try: data.tags={data.label} and no data.label" if data.source != "demo" else "Leave it out"
        found.append(f"data.label={data.label}: labels of words belong in data.tags. {cure}")
    if column := group_column(data.group):
        found.append(
            f"data.group={column}: no other column is read for rows of words. Try: data.group={GROUP_RULES[0]}, or null"
        )
    if data.text_pair is not None:
        found.append(f"data.text_pair={data.text_pair}: tags are for a single text. Leave it out")
    if data.class_weights != "none" and len(_tags(data)) > 1:
        found.append(
            f"data.class_weights={data.class_weights}: words have two labels, but weights are for one. Leave it out"
        )
    return found


def _tags(data: DataSettings) -> list[str]:
    """Return the columns of tags."""
    given = data.tags if isinstance(data.tags, list) else [data.tags]
    return [str(column) for column in given if column is not None]


def _missing_columns(data: DataSettings) -> str:
    """Return the line for data without columns of words and tags."""
    if data.source == "hub":
        cure = f"data=wnut17 (or wikiann, punct-case), or for words of your own: data=files data.path=... {COLUMNS}"
    else:
        cure = f"{COLUMNS}, or for the columns of a CoNLL file: {NUMBERS}"
    return f"task=tags needs a column of words and one of tags, but data={data.name} does not name both. Try: {cure}"


def _contradicting_columns(tokens: str, tags: list[str], text: str) -> list[str]:
    """Return one line for each pair of columns that cannot go together.

    text: the value of data.text, which is not read: words come from data.tokens.
    """
    found = []
    if len(tags) > 2:
        found.append(
            f"data.tags=[{','.join(tags)}]: a word has at most two labels. Try: 'data.tags=[{','.join(tags[:2])}]'"
        )
    if is_column_number(tokens) and not all(map(is_column_number, tags)):
        found.append(
            f"data.tokens={tokens} data.tags={','.join(tags)}: columns have numbers in a CoNLL file and names in other "
            f"files, but these are mixed. Try: {NUMBERS}, or {COLUMNS}"
        )
    repeated = sorted({column for column in (tokens, *tags) if (tokens, *tags).count(column) > 1})
    if repeated:
        found.append(f"data.tokens and data.tags name the column {repeated[0]} twice. Try: another column of tags")
    if text not in ("text", tokens):
        found.append(f"data.text={text} is not read, since words come from data.tokens={tokens}. Leave it out")
    return found
